import { readFile } from 'node:fs/promises'
import { createServer, get } from 'node:http'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authOf, codesOf, type Endpoint, isAdministration } from '../../api/endpoint.ts'
import { PERMISSIONS } from '../../api/permissions.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  ADMIN,
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  viaProxy,
  type Visitor,
} from '../helpers/visitor.ts'
import { entries, pathOf } from './entries.ts'
import { codeIn } from './raw.ts'

const PASSWORD = 'wooden quiet lamp'
const NETWORKS = ['10.1.0.0/16', 'fd00::/8']
const INSIDE = ['10.1.2.3', 'fd00::7', '::ffff:10.1.255.255'] as const
const OUTSIDE = ['10.2.0.1', '192.0.2.7', 'fe80::1', '2001:db8::1', '127.0.0.2.example', '10.1.2.3, 192.0.2.7'] as const

type Rights = Parameters<Visitor['client']['users']['edit']>[0]['body']

let server: TestServer
/** At the machine itself. */
let here: Visitor
let plain: number

beforeAll(async () => {
  server = await startTestServer({ config: { trustedProxies: ['127.0.0.1'] } })
  here = await buildSuperuser(server)
  plain = await createUser(here, { username: 'plain', password: PASSWORD })
  await createUser(here, { username: 'clerk', password: PASSWORD, permissions: [...PERMISSIONS] })
})
beforeEach(async () => {
  here = await buildSignedIn(server, ADMIN.username, ADMIN.password)
  dataOf(await here.client.settings.change({ body: { admin_networks: NETWORKS } }))
})
afterAll(() => server.end())

/** Somebody signed in at this address, behind the proxy. */
async function at(ip: string, who: { username: string; password: string } = ADMIN): Promise<Visitor> {
  const visitor = buildVisitor(server.url, viaProxy(server.url, ip))
  dataOf(await visitor.client.auth.login({ body: who }))
  return visitor
}

/** With a body that no entry takes. */
async function call(visitor: Visitor, entry: Endpoint, url = pathOf(entry)): Promise<[status: number, code: string]> {
  const data = entry.method === 'GET' || entry.method === 'DELETE' ? {} : { data: { no_such_field: 1 } }
  const answer = await visitor.http.request({ method: entry.method, url, ...data })
  return [answer.status, codeIn(answer.data)]
}

const administering = entries.filter(([, entry]) => isAdministration(entry))
const others = entries.filter(([, entry]) => !isAdministration(entry))
const targeting = others.filter(([, entry]) => entry.target)

describe('which entries administer', () => {
  test('is plain from their addresses: none that concerns oneself, all the others', () => {
    const own = /^\/(api\/auth\/|api\/health|api\/openapi|api\/v2\/(users\/@me$|auth\/)|oauth|\.well-known)/
    const closed = others.filter(([, { auth }]) => auth !== 'public')
    expect(administering.filter(([, { path }]) => own.test(path)).map(([name]) => name)).toEqual([])
    expect(closed.filter(([, { path, target }]) => !own.test(path) && !target).map(([name]) => name)).toEqual([])
    for (const area of ['settings', 'audit', 'access', 'loginTokens', 'userImports'])
      expect(others.filter(([name]) => name.startsWith(`${area}.`))).toEqual([])
    expect(administering.map(([name]) => name)).toContain('system.changes')
  })

  test('is said with the code', () => {
    for (const [name, entry] of entries)
      expect(codesOf(entry).includes('ADMIN_NETWORK'), name).toBe(isAdministration(entry) || entry.target !== undefined)
  })
})

describe('from outside', () => {
  let outside: Visitor
  beforeAll(async () => {
    outside = await at(OUTSIDE[0])
  })

  test.each(administering)('%s answers ADMIN_NETWORK, before it looks at body or target', async (_name, entry) => {
    expect(await call(outside, entry)).toEqual([403, 'ADMIN_NETWORK'])
  })

  test.each(targeting)('%s answers ADMIN_NETWORK of others, there or not, and not of oneself', async (_name, entry) => {
    for (const id of [plain, 987_654])
      expect(await call(outside, entry, entry.path.replace(':id', String(id)))).toEqual(
        entry.body ? [400, 'INVALID_JSON_SCHEMA'] : [403, 'ADMIN_NETWORK'],
      )
    expect((await call(await at(OUTSIDE[0]), entry, entry.path.replace(':id', '1')))[1]).not.toBe('ADMIN_NETWORK')
  })

  test('a sound edit of another is refused, and of oneself it is not', async () => {
    const body = { display_name: 'X' }
    const edit = (id: number) => outside.client.users.edit({ params: { id: String(id) }, body }).then(codeOf)
    expect([await edit(plain), await edit(1)]).toEqual(['ADMIN_NETWORK', 'ok'])
    expect((await server.storage.users.find(plain))?.display_name).toBeNull()
  })

  test.each<Rights>([{ permissions: ['SETTINGS'] }, { manager_id: 2 }, { superuser: false }, { enabled: false }])(
    'one does not change %j of oneself either, and that is an entry of the audit',
    async (body) => {
      const before = await server.storage.users.find(1)
      const edit = (by: Visitor) => by.client.users.edit({ params: { id: '1' }, body: { ...body, lang: 'ru' } })
      expect(codeOf(await edit(outside))).toBe('ADMIN_NETWORK')
      expect(await server.storage.users.find(1)).toEqual(before)
      const { items } = dataOf(await here.client.audit.list({ query: { event: 'access_refused' } }))
      const entry = '/api/v2/users/:id'
      expect(items.map(({ detail }) => detail)).toContainEqual(
        expect.objectContaining({ code: 'ADMIN_NETWORK', entry }),
      )
      expect(codeOf(await edit(await at(INSIDE[0])))).not.toBe('ADMIN_NETWORK')
      dataOf(await here.client.users.edit({ params: { id: '1' }, body: { permissions: [], manager_id: null } }))
    },
  )

  test.each(others.filter(([, entry]) => !entry.target))('%s stays open', async (_name, entry) => {
    expect((await call(await at(OUTSIDE[0]), entry))[1]).not.toBe('ADMIN_NETWORK')
  })

  test.each(OUTSIDE)('is %s', async (ip) => {
    const visitor = await at(ip)
    expect(codeOf(await visitor.client.users.list())).toBe('ADMIN_NETWORK')
    expect(dataOf(await visitor.client.auth.me()).administration).toBe('elsewhere')
  })

  test('a permission is judged first, and the refusal is an entry of the audit', async () => {
    const nobody = await at(OUTSIDE[0], { username: 'plain', password: PASSWORD })
    expect(codeOf(await nobody.client.users.list())).toBe('ACCESS_DENIED')
    expect((await nobody.http.get('/api/changes')).data.error).toBe('ACCESS_DENIED')
    expect((await nobody.http.get('/api/v2/users/1')).data.error).toBe('ACCESS_DENIED')
    const clerk = await at(OUTSIDE[1], { username: 'clerk', password: PASSWORD })
    expect(codeOf(await clerk.client.settings.read())).toBe('ADMIN_NETWORK')
    const { items } = dataOf(await here.client.audit.list({ query: { event: 'access_refused' } }))
    expect(items[0]).toMatchObject({ ip: OUTSIDE[1], detail: { code: 'ADMIN_NETWORK', entry: '/api/v2/settings' } })
  })

  test('an address that the client wrote himself counts for nothing', async () => {
    const forged = { 'X-Forwarded-For': '10.1.2.3', 'X-Real-IP': '10.1.2.3', Forwarded: 'for=10.1.2.3' }
    const { data } = await (
      await at(OUTSIDE[0])
    ).http.get('/api/v2/settings', {
      headers: { ...forged, 'X-Forwarded-For': `${forged['X-Forwarded-For']}, ${OUTSIDE[0]}` },
    })
    expect(data.error).toBe('ADMIN_NETWORK')
  })
})

describe('from inside, and at the machine itself', () => {
  /** An answer that never ends has a test of its own. */
  const ending = [...administering, ...targeting].filter(([, entry]) => entry.answers !== 'events')

  test.each(ending)('%s is open', async (_name, entry) => {
    for (const visitor of [await at(INSIDE[0]), await buildSignedIn(server, ADMIN.username, ADMIN.password)])
      expect((await call(visitor, entry))[1]).not.toBe('ADMIN_NETWORK')
  })

  test.each(INSIDE)('inside is %s', async (ip) => {
    const visitor = await at(ip)
    expect(codeOf(await visitor.client.users.list())).toBe('ok')
    expect(dataOf(await visitor.client.auth.me())).toMatchObject({
      administration: 'here',
      address: ip.replace('::ffff:', ''),
    })
  })

  test('who holds no rights is told that there is nothing for him', async () => {
    for (const visitor of [
      await at(INSIDE[0], { username: 'plain', password: PASSWORD }),
      await at(OUTSIDE[0], { username: 'plain', password: PASSWORD }),
    ])
      expect(dataOf(await visitor.client.auth.me()).administration).toBe('none')
  })

  test('everywhere is inside while no network is named', async () => {
    dataOf(await here.client.settings.change({ body: { admin_networks: [] } }))
    expect(codeOf(await (await at(OUTSIDE[0])).client.users.list())).toBe('ok')
  })
})

describe('the setting', () => {
  const change = (by: Visitor, ...admin_networks: string[]) => by.client.settings.change({ body: { admin_networks } })

  test('shuts nobody out who sets it, and changes nothing then', async () => {
    const inside = await at(INSIDE[0])
    const body = { admin_networks: ['10.2.0.0/16'], min_password_length: 20 }
    expect(codeOf(await inside.client.settings.change({ body }))).toBe('ADMIN_NETWORK_SELF')
    expect(dataOf(await inside.client.settings.read())).toMatchObject({
      admin_networks: NETWORKS,
      min_password_length: 8,
    })
    expect(dataOf(await change(inside, '10.1.2.99/24', '10.1.2.0/24')).admin_networks).toEqual(['10.1.2.0/24'])
    expect(dataOf(await change(inside)).admin_networks).toEqual([])
    expect(codeOf(await change(inside, OUTSIDE[0]))).toBe('ADMIN_NETWORK_SELF')
  })

  test('can be set to anything at the machine itself, holds at once and after a restart, and is the way out', async () => {
    const inside = await at(INSIDE[0])
    dataOf(await change(here, '203.0.113.5'))
    expect(codeOf(await inside.client.settings.read())).toBe('ADMIN_NETWORK')
    server = await server.restart()
    expect(codeOf(await (await at(INSIDE[0])).client.users.list())).toBe('ADMIN_NETWORK')
    const local = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    expect(dataOf(await local.client.auth.me()).administration).toBe('here')
    dataOf(await change(local, ...NETWORKS))
    expect(codeOf(await (await at(INSIDE[0])).client.users.list())).toBe('ok')
  })
})

describe('a network of one family', () => {
  test.each([
    [['::/1'], '10.1.2.3', 'ADMIN_NETWORK'],
    [['::/0'], '192.0.2.7', 'ADMIN_NETWORK'],
    [['::/1'], '::ffff:a01:203', 'ADMIN_NETWORK'],
    [['0.0.0.0/0'], '2001:db8::1', 'ADMIN_NETWORK'],
    [['::/1'], '2001:db8::1', 'ok'],
    [['0.0.0.0/0'], '::ffff:a01:203', 'ok'],
    [['::/1', '10.1.0.0/16'], '10.1.2.3', 'ok'],
  ])('%j holds %s or not: %s', async (admin_networks, ip, code) => {
    dataOf(await here.client.settings.change({ body: { admin_networks } }))
    expect(codeOf(await (await at(ip)).client.users.list())).toBe(code)
  })
})

describe('the way out', () => {
  const signedIn = (headers: Record<string, string>) => {
    const cookies = { Cookie: [...here.cookies].map(([name, value]) => `${name}=${value}`).join('; ') }
    return buildVisitor(server.url, { ...cookies, ...headers })
  }

  test.each(['127.0.0.1', 'localhost', '[::1]'])('is open as %s', async (name) => {
    const visitor = signedIn({ Host: `${name}:${new URL(server.url).port}` })
    expect(codeOf(await visitor.client.users.list())).toBe('ok')
  })

  test('is not open through a proxy on this machine that says nothing of whom it passes on', async () => {
    const visitor = signedIn({ Host: hostname() })
    expect(dataOf(await visitor.client.auth.me())).toMatchObject({ administration: 'elsewhere', address: '127.0.0.1' })
    expect(codeOf(await visitor.client.users.list())).toBe('ADMIN_NETWORK')
  })

  test.each(['X-Forwarded-Proto', 'X-Real-IP', 'Forwarded', 'Via', 'X-Forwarded-Host'])(
    'is not open through one that calls us by a loopback name and sends %s',
    async (header) => {
      const visitor = signedIn({ [header]: 'http' })
      expect(codeOf(await visitor.client.users.list())).toBe('ADMIN_NETWORK')
    },
  )

  test('is not open behind a public URL whose proxy nobody named, and the log warns of that at the start', async () => {
    const logFile = join(server.directory, 'hidden.log')
    const port = await freePort()
    const publicUrl = 'https://console.example.org'
    const started = await startTestServer({ config: { publicUrl, logFile, port } })
    const hidden = { ...started, url: `http://127.0.0.1:${port}` }
    const owner = await buildSuperuser(hidden)
    dataOf(await owner.client.settings.change({ body: { admin_networks: ['10.2.0.0/16'] } }))
    const Cookie = [...owner.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const far = buildVisitor(hidden.url, { Cookie, Host: 'console.example.org' })
    expect(codeOf(await far.client.users.list())).toBe('ADMIN_NETWORK')
    expect(codeOf(await owner.client.users.list())).toBe('ok')
    await hidden.end()
    expect(await readFile(logFile, 'utf8')).toContain('"event":"clients_hidden"')
  })
})

test('what somebody follows ends when his network is no longer among them', async () => {
  const inside = await at(INSIDE[0])
  const cookie = [...inside.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const headers = { Cookie: cookie, ...viaProxy(server.url, INSIDE[0]) }
  const stream = await new Promise<{ status: number | undefined; ended: Promise<void> }>((resolve) => {
    get(`${server.url}/api/changes`, { headers }, (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode, ended: new Promise((end) => answer.once('close', end)) })
    })
  })
  expect(stream.status).toBe(200)
  dataOf(await here.client.settings.change({ body: { admin_networks: ['10.9.0.0/16'] } }))
  await stream.ended
})

test('entries of anybody are never administration', () => {
  for (const [name, entry] of administering) expect(authOf(entry), name).not.toBe('public')
})

/** With a public address the server's `url` is that one, so the port is chosen here. */
async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}
