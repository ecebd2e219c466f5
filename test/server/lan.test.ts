import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import {
  askOverTls,
  at,
  authorityOf,
  buildNetwork,
  occupy,
  portOf,
  startInNetwork,
  type TestNetwork,
} from './network.ts'
import { codeIn, sendRequest } from './raw.ts'

const NETWORK = '127.1.0.0/29'
const [HERE, THERE, LATER, STRANGE] = ['127.1.0.5', '127.1.0.6', '127.1.0.4', '127.1.0.77'] as const

let network: TestNetwork
let server: TestServer
let admin: Visitor
let port: number
beforeAll(async () => {
  network = buildNetwork(at(HERE, NETWORK), at(THERE, NETWORK))
  server = await startInNetwork(network)
  admin = await buildSuperuser(server)
  port = portOf(server)
})
afterAll(() => server.end())

const status = async () => dataOf(await admin.client.lan.status())
const switchTo = async (lan_enabled: boolean) => dataOf(await admin.client.settings.change({ body: { lan_enabled } }))
const eventsOf = async (event: 'authority_made' | 'settings_changed') =>
  dataOf(await admin.client.audit.list({ query: { event } })).items

test('nobody comes in from the network, and no certificate is made, until somebody switches it on', async () => {
  const off = { on: false, forced: false, urls: [], name: null, trust_url: null, authority: null, problems: [] }
  expect(await status()).toMatchObject(off)
  await expect(askOverTls({ address: HERE, port, ca: undefined })).rejects.toThrow('ECONNREFUSED')
  expect(existsSync(join(server.directory, 'tls'))).toBe(false)
  expect(codeOf(await admin.client.lan.makeAuthority())).toBe('LAN_OFF')
})

describe('switched on by the setting', () => {
  let ca: string
  beforeAll(async () => {
    await switchTo(true)
    ca = await authorityOf(server)
  })

  test('every address answers at once over TLS, under each of our names', async () => {
    for (const address of [HERE, THERE])
      for (const name of [undefined, 'latchkey.local', 'desk-7', 'desk-7.local'])
        expect((await askOverTls({ address, port, ca, ...(name && { name }) })).status).toBe(200)
    expect(await status()).toMatchObject({
      on: true,
      forced: false,
      urls: [`https://${HERE}:${port}`, `https://${THERE}:${port}`],
      name: 'latchkey.local',
      trust_url: `http://${HERE}:${port}/trust`,
      certificate: { source: 'authority', names: ['latchkey.local', 'desk-7', 'desk-7.local', HERE, THERE] },
      uncovered: [],
      problems: [],
    })
  })

  test('who does not know the authority refuses to go on, and so does who means somebody else', async () => {
    await expect(askOverTls({ address: HERE, port, ca: undefined })).rejects.toThrow(/unable to verify/)
    await expect(askOverTls({ address: HERE, port, ca, name: 'evil.example' })).rejects.toThrow(/does not match/)
  })

  test('people sign in there, with a cookie that only https carries; no browser is told to stay with https', async () => {
    const login = await askOverTls({ address: HERE, port, ca, method: 'POST', path: '/api/auth/login', body: ADMIN })
    expect(login.status).toBe(200)
    expect(login.headers['strict-transport-security']).toBeUndefined()
    const [cookie = ''] = login.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^__Host-latchkey_session=.*; Path=\/; .*HttpOnly; SameSite=Lax; Secure$/)
    const [pair = ''] = cookie.split(';')
    const me = (Cookie: string) => askOverTls({ address: HERE, port, ca, path: '/api/auth/me', headers: { Cookie } })
    expect((await me(pair)).status).toBe(200)
    expect((await me(pair.replace('__Host-', ''))).status).toBe(401)
  })

  test('a name that is not ours is refused, and the origin must be that of the address', async () => {
    const to = (hostHeader: string, headers = {}) =>
      askOverTls({ address: HERE, port, ca, hostHeader, headers, method: 'POST', path: '/api/auth/login', body: ADMIN })
    for (const foreign of [
      'evil.example',
      'latchkey.local.evil.example',
      'latchkey-6.local',
      STRANGE.replace('127', '10'),
    ])
      expect(codeIn((await to(`${foreign}:${port}`)).body)).toBe('BAD_ORIGIN')
    expect((await to(`${HERE}:${port}`, { Origin: `https://${HERE}:${port}` })).status).toBe(200)
    expect(codeIn((await to(`${HERE}:${port}`, { Origin: `http://${HERE}:${port}` })).body)).toBe('BAD_ORIGIN')
  })

  test('only TLS 1.2 and newer is spoken', async () => {
    const version = async (maxVersion: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') => {
      const socket = connect({ host: HERE, port, ca, maxVersion, minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' })
      onTestFinished(() => void socket.destroy())
      await once(socket, 'secureConnect')
      return socket.getProtocol()
    }
    expect(await version('TLSv1.3')).toBe('TLSv1.3')
    expect(await version('TLSv1.2')).toBe('TLSv1.2')
    await expect(version('TLSv1.1')).rejects.toThrow()
  })

  test('this machine goes on over plain HTTP, and links that it makes for others lead where they can follow', async () => {
    const login_user_id = await createUser(admin, { username: 'bert' })
    const minted = await admin.client.loginTokens.create({ body: { login_user_id, expires_in: 60 } })
    expect(dataOf(minted).login_url).toMatch(new RegExp(`^https://${HERE}:${port}/login/token#`))
    expect(dataOf(await admin.client.auth.me()).share_base).toBe(`https://${HERE}:${port}`)
  })

  test('the audit knows who switched it on, and of the authority', async () => {
    const [made] = await eventsOf('authority_made')
    expect(made).toMatchObject({ actor: null, detail: { fingerprint: (await status()).authority?.fingerprint } })
    const [changed] = await eventsOf('settings_changed')
    expect(changed).toMatchObject({ actor: 'ann', detail: { changes: { lan_enabled: { from: false, to: true } } } })
  })

  describe('and the machine moves', () => {
    const move = async (...addresses: string[]) => {
      network.addresses = addresses.map((address) => at(address, address === STRANGE ? `${STRANGE}/32` : NETWORK))
      await server.switchLan(true)
    }

    test('another address of the same network is served and vouched for, without anybody being cut off', async () => {
      const open = connect({ host: HERE, port, ca })
      onTestFinished(() => void open.destroy())
      await once(open, 'secureConnect')
      const before = open.getPeerCertificate().fingerprint256
      await move(HERE, LATER)
      expect((await askOverTls({ address: LATER, port, ca })).status).toBe(200)
      await expect(askOverTls({ address: THERE, port, ca })).rejects.toThrow('ECONNREFUSED')
      expect((await askOverTls({ address: HERE, port, ca })).certificate.fingerprint256).not.toBe(before)
      expect(await say(open, 'GET /api/health')).toContain('200 OK')
      expect(network.announced.at(-1)?.addresses.map(({ address }) => address)).toEqual([HERE, LATER])
    })

    test('an address elsewhere is not vouched for, and the status says so', async () => {
      await move(STRANGE, HERE)
      const { urls, uncovered, problems } = await status()
      // The best is where browsers do not warn.
      expect(urls).toEqual([`https://${HERE}:${port}`, `https://${STRANGE}:${port}`])
      expect(uncovered).toEqual([STRANGE])
      expect(problems).toEqual([{ code: 'addresses_uncovered', detail: STRANGE }])
      await expect(askOverTls({ address: STRANGE, port, ca })).rejects.toThrow(/not in the cert's list/)
    })

    test('without any it waits for one', async () => {
      await move()
      expect(await status()).toMatchObject({ on: true, urls: [], problems: [{ code: 'no_address' }] })
      await move(HERE, THERE)
      expect(await status()).toMatchObject({
        urls: [`https://${HERE}:${port}`, `https://${THERE}:${port}`],
        problems: [],
      })
    })

    test('a port that another program has there is a problem there only, until it is free', async () => {
      const taken = await occupy(port, LATER)
      await move(HERE, LATER)
      expect((await status()).problems).toEqual([{ code: 'port_taken', detail: `${LATER}, port ${port}` }])
      expect((await status()).urls).toEqual([`https://${HERE}:${port}`])
      expect((await askOverTls({ address: HERE, port, ca })).status).toBe(200)
      taken.close()
      await once(taken, 'close')
      await move(HERE, LATER)
      expect(await status()).toMatchObject({
        problems: [],
        urls: [`https://${HERE}:${port}`, `https://${LATER}:${port}`],
      })
      await move(HERE, THERE)
    })
  })

  test('the name is announced with the port, and another one where it is taken, in the certificate as well', async () => {
    expect(network.announced.at(-1)).toMatchObject({ port, service: 'Latchkey on desk-7' })
    network.answer = ({ names }) => ({ name: `${names[1]}.local` })
    await server.switchLan(false)
    expect(network.announced.at(-1)).toBeUndefined()
    await server.switchLan(true)
    await expect.poll(async () => (await status()).certificate?.names).toContain('latchkey-2.local')
    expect(await status()).toMatchObject({
      name: 'latchkey-2.local',
      problems: [{ code: 'name_taken', detail: 'latchkey.local; we are latchkey-2.local' }],
    })
    expect((await askOverTls({ address: HERE, port, ca, name: 'latchkey-2.local' })).status).toBe(200)
  })

  test('every name that we may ever be announced by is ours, also while none is announced and when another has it', async () => {
    const { fingerprint } = (await status()).certificate ?? {}
    network.answer = () => undefined
    await server.switchLan(false)
    await server.switchLan(true)
    expect((await status()).name).toBeNull()
    // Nobody is cut off by a certificate without the name that we had a moment ago.
    expect((await status()).certificate?.fingerprint).toBe(fingerprint)
    const named = (name: string) => askOverTls({ address: HERE, port, ca, hostHeader: `${name}.local:${port}` })
    for (const name of ['latchkey', 'latchkey-2', 'latchkey-5']) expect((await named(name)).status).toBe(200)
    expect((await named('latchkey-6')).status).toBe(403)
  })

  test('where nothing can be announced, the addresses work all the same; it is tried again', async () => {
    network.answer = () => ({ failed: 'no multicast here' })
    await server.switchLan(false)
    await server.switchLan(true)
    const failed = { name: null, problems: [{ code: 'announcement_failed', detail: 'no multicast here' }] }
    expect(await status()).toMatchObject({ ...failed, urls: [`https://${HERE}:${port}`, `https://${THERE}:${port}`] })
    network.answer = ({ names }) => ({ name: `${names[0]}.local` })
    server.clock.advance(60_000)
    await server.switchLan(true)
    expect(await status()).toMatchObject({ name: 'latchkey.local', problems: [] })
  })

  test('switched off, the doors are shut, whoever is there gets his answer, and names of the network are foreign', async () => {
    const open = connect({ host: HERE, port, ca })
    await once(open, 'secureConnect')
    expect(await say(open, 'GET /api/health')).toContain('200 OK')
    const gone = once(open, 'close')
    await switchTo(false)
    await gone
    await expect(askOverTls({ address: HERE, port, ca })).rejects.toThrow('ECONNREFUSED')
    expect(await status()).toMatchObject({ on: false, urls: [], authority: null })
    const { body } = await sendRequest(server.url, 'GET /api/health', ['Host: latchkey.local'])
    expect(codeIn(body)).toBe('BAD_ORIGIN')
  })

  test('switched on again by the desktop, it is the same authority, and nobody has to install anything', async () => {
    const now = await server.switchLan(true)
    expect(now.authority?.fingerprint).toBe((await eventsOf('authority_made'))[0]?.detail['fingerprint'])
    expect(await eventsOf('authority_made')).toHaveLength(1)
    expect((await askOverTls({ address: HERE, port, ca })).status).toBe(200)
    expect((await eventsOf('settings_changed'))[0]).toMatchObject({ actor: null, event: 'settings_changed' })
  })
})

describe('started with --lan', () => {
  test('it is on whatever the setting says', async () => {
    const forced = await startInNetwork(buildNetwork(at('127.1.1.5')), { config: { lan: true } })
    onTestFinished(() => forced.end())
    expect(forced.lan()).toMatchObject({ on: true, forced: true, urls: [`https://127.1.1.5:${portOf(forced)}`] })
    expect(await forced.switchLan(false)).toMatchObject({ on: true })
  })

  test('and with a wildcard to listen on, that listener speaks TLS and plain HTTP', async () => {
    const both = await startInNetwork(buildNetwork(at('127.1.1.6')), { config: { lan: true, host: '0.0.0.0' } })
    onTestFinished(() => both.end())
    const ca = await authorityOf(both)
    expect((await askOverTls({ address: '127.1.1.6', port: portOf(both), ca })).status).toBe(200)
    expect((await sendRequest(both.url, 'GET /api/health')).status).toBe(200)
    const wildcard = await sendRequest(both.url, 'GET /api/health', ['Host: 0.0.0.0'])
    expect(codeIn(wildcard.body), 'the wildcard is no name of ours').toBe('BAD_ORIGIN')
    expect(both.lan().problems).toEqual([])
  })

  test('and with an address of the network to listen on, this machine is served on loopback besides', async ({
    skip,
  }) => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address
    if (own === undefined) return skip('this machine is in no network')
    const elsewhere = await startInNetwork(buildNetwork(at(own)), { config: { lan: true, host: own } })
    onTestFinished(() => elsewhere.end())
    const over = { address: own, port: portOf(elsewhere), ca: await authorityOf(elsewhere) }
    expect((await askOverTls(over)).status).toBe(200)
    expect((await sendRequest(elsewhere.url, 'GET /')).body).toContain('not encrypted')
    const local = `http://127.0.0.1:${over.port}`
    expect((await sendRequest(local, 'GET /api/health')).status).toBe(200)
  })
})

/** One request on a connection that stays open. */
async function say(socket: TLSSocket, line: string): Promise<string> {
  const heard = once(socket, 'data')
  socket.write(`${line} HTTP/1.1\r\nHost: ${HERE}\r\n\r\n`)
  const [data] = await heard
  return String(data)
}
