import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer } from '../helpers/server.ts'
import { buildVisitor, codeOf, dataOf, type Visitor, viaProxy } from '../helpers/visitor.ts'
import { type AtprotoWorld, comeBack, linkedUser, startWorld, TRUSTING, visitsOf } from './atproto.ts'

const MINUTE = 60_000
const AGENT = 'Tablet/1.0'

let world: AtprotoWorld
/** A browser at the machine itself. */
let visit: () => Visitor
let user_id: number
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  visit = visitsOf(world.server)
  user_id = (await linkedUser(world, 'lan.test')).user_id
})
beforeEach(() => {
  world.provider.behave({})
  lastLan = 20
  world.server.clock.advance(MINUTE + 1)
})
afterEach(() => world.admin.client.settings.change({ body: { atproto_enabled: true } }))
afterAll(() => world.end())

let lastLan = 20
/** A browser elsewhere on the network, by way of a TLS proxy at the machine. */
function visitLan({ server } = world): Visitor {
  const ip = `192.168.1.${lastLan}`
  lastLan += 1
  return buildVisitor(server.url, { ...viaProxy(server.url, ip), 'User-Agent': AGENT })
}

const start = (lan: Visitor, handle = 'lan.test') => lan.client.auth.startPairing({ body: { handle } })
const show = (visitor: Visitor, code: string) => visitor.client.auth.showPairing({ body: { code } })
const approve = (visitor: Visitor, code: string) => visitor.client.auth.approvePairing({ body: { code } })
const claim = (visitor: Visitor) => visitor.client.auth.claimPairing()
const exchange = (visitor: Visitor, exchange_token: string) =>
  visitor.client.auth.exchange({ body: { exchange_token } })

/** Somebody at the machine signs in for this code; answers the page at which his browser ends. */
async function signInAt(machine: Visitor, code: string, { provider } = world) {
  const { auth_url } = dataOf(await approve(machine, code))
  return comeBack(machine, await provider.follow(auth_url))
}

describe('a browser elsewhere on the network', () => {
  test('is told that it needs a pairing, and the machine itself does not', async () => {
    const lan = visitLan()
    expect(dataOf(await lan.client.auth.setupStatus())).toMatchObject({ atproto_enabled: true, atproto_pairing: true })
    expect(dataOf(await visit().client.auth.setupStatus()).atproto_pairing).toBe(false)
    const { status, data } = await lan.http.get('/api/auth/start', { params: { handle: 'lan.test' } })
    expect([status, data.error]).toEqual([403, 'PAIRING_REQUIRED'])
  })

  test('gets eight characters that cannot be mixed up, for ten minutes, and an address with them in its fragment', async () => {
    const { code, url, expires_at } = dataOf(await start(visitLan()))
    expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    expect(url).toBe(`${world.server.url}/pair#${code.replace('-', '')}`)
    expect(Date.parse(expires_at)).toBe(world.server.clock() + 10 * MINUTE)
  })

  test('has one pairing at a time: a new one ends the one before', async () => {
    const lan = visitLan()
    const [first, second] = [dataOf(await start(lan)), dataOf(await start(lan))]
    expect(codeOf(await show(visit(), first.code))).toBe('PAIRING_CODE_INVALID')
    expect(codeOf(await show(visit(), second.code))).toBe('ok')
  })

  test('gets no pairing where ATProto is switched off, nor more than ten a minute', async () => {
    dataOf(await world.admin.client.settings.change({ body: { atproto_enabled: false } }))
    expect(codeOf(await start(visitLan()))).toBe('ATPROTO_DISABLED')
    dataOf(await world.admin.client.settings.change({ body: { atproto_enabled: true } }))
    const lan = visitLan()
    const codes: string[] = []
    for (let tries = 0; tries < 12; tries += 1) codes.push(codeOf(await start(lan)))
    expect(codes).toEqual([...Array<string>(10).fill('ok'), 'TOO_MANY_ATTEMPTS', 'TOO_MANY_ATTEMPTS'])
  })
})

describe('the code of a pairing', () => {
  test('shows who waits, however it is typed, and only at the machine itself', async () => {
    const lan = visitLan()
    const { code, expires_at } = dataOf(await start(lan))
    const waiting = { handle: 'lan.test', ip: '192.168.1.20', user_agent: AGENT, expires_at }
    for (const typed of [code, code.toLowerCase(), ` ${code.replace('-', ' - ')} `])
      expect(dataOf(await show(visit(), typed))).toEqual(waiting)
    for (const elsewhere of [lan, visitLan()]) {
      expect(codeOf(await show(elsewhere, code))).toBe('PAIRING_ELSEWHERE')
      expect(codeOf(await approve(elsewhere, code))).toBe('PAIRING_ELSEWHERE')
    }
    expect(dataOf(await claim(lan))).toEqual({ state: 'waiting' })
  })

  test('cannot be guessed: tries are counted, at the machine too, and then not even the right one is answered', async () => {
    const { code } = dataOf(await start(visitLan()))
    const machine = visit()
    for (const typed of ['ABCD-234', 'ABCD-23456', 'ILOU-1111', ''])
      expect(codeOf(await show(machine, typed))).toBe('INVALID_JSON_SCHEMA')
    const wrong = code.startsWith('0') ? '1111-1111' : '0000-0000'
    const codes: string[] = []
    for (let tries = 0; tries < 10; tries += 1)
      codes.push(codeOf(await (tries % 2 ? approve(machine, wrong) : show(machine, wrong))))
    expect(codes).toEqual(Array<string>(10).fill('PAIRING_CODE_INVALID'))
    expect(codeOf(await show(machine, code))).toBe('TOO_MANY_ATTEMPTS')
    expect(codeOf(await approve(machine, code))).toBe('TOO_MANY_ATTEMPTS')
    world.server.clock.advance(MINUTE)
    expect(codeOf(await show(machine, code))).toBe('ok')
  })

  test('is over after ten minutes', async () => {
    const lan = visitLan()
    const { code } = dataOf(await start(lan))
    world.server.clock.advance(10 * MINUTE - 1)
    expect(codeOf(await show(visit(), code))).toBe('ok')
    world.server.clock.advance(1)
    for (const outcome of [await show(visit(), code), await approve(visit(), code), await claim(lan)])
      expect(codeOf(outcome)).toBe('PAIRING_CODE_INVALID')
  })

  test('is approved once, of ten at once', async () => {
    const { code } = dataOf(await start(visitLan()))
    const codes = (await Promise.all(Array.from({ length: 10 }, () => approve(visit(), code)))).map(codeOf)
    expect(codes.sort()).toEqual([...Array<string>(9).fill('PAIRING_CODE_INVALID'), 'ok'])
    expect(codeOf(await show(visit(), code))).toBe('PAIRING_CODE_INVALID')
  })

  test('still holds where the provider could not be asked', async () => {
    const { code } = dataOf(await start(visitLan()))
    world.provider.behave({ handle: { status: 503 } })
    expect(codeOf(await approve(visit(), code))).not.toBe('ok')
    world.provider.behave({})
    expect(codeOf(await approve(visit(), code))).toBe('ok')
  })
})

describe('a pairing', () => {
  test('signs the waiting browser in, once, and never the one at the machine', async () => {
    const [lan, machine, stranger] = [visitLan(), visit(), visitLan()]
    const { code } = dataOf(await start(lan))
    const { path, fragment } = await signInAt(machine, code)
    expect([path, fragment.toString()]).toEqual(['/pair/done', ''])
    for (const other of [machine, stranger, visit()]) expect(codeOf(await claim(other))).toBe('PAIRING_CODE_INVALID')
    const answers = await Promise.all(Array.from({ length: 20 }, () => claim(lan)))
    const [claimed, ...more] = answers.flatMap((answer) => (answer.ok ? [answer.data] : []))
    expect([claimed?.state, more]).toEqual(['done', []])
    expect(codeOf(await claim(lan))).toBe('PAIRING_CODE_INVALID')
    const exchange_token = claimed?.exchange_token ?? ''
    for (const other of [machine, stranger])
      expect(codeOf(await exchange(other, exchange_token))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(dataOf(await exchange(lan, exchange_token))).toMatchObject({ user_id, username: 'lan' })
    expect([...lan.cookies.keys()]).toContain('__Host-latchkey_session')
    expect(dataOf(await lan.client.auth.me()).auth_source).toBe('atproto')
    expect(dataOf(await lan.client.auth.sessions()).sessions[0]).toMatchObject({ ip: '192.168.1.20', current: true })
    expect(codeOf(await machine.client.auth.me())).toBe('UNAUTHENTICATED')
  })

  test('leaves whoever is signed in at the machine as he is', async () => {
    const lan = visitLan()
    const { code } = dataOf(await start(lan))
    await signInAt(world.admin, code)
    expect(dataOf(await world.admin.client.auth.me()).username).toBe('ann')
    expect(dataOf(await exchange(lan, dataOf(await claim(lan)).exchange_token ?? '')).username).toBe('lan')
  })

  test.each([
    ['its owner says no', { deny: true }, 'FLOW_DENIED'],
    ['the provider grants nothing of use', { scope: 'transition:generic' }, 'FLOW_REJECTED'],
  ])('tells both browsers when %s', async (_case, behaviour, reason) => {
    const lan = visitLan()
    const { code } = dataOf(await start(lan))
    world.provider.behave(behaviour)
    const { path, fragment } = await signInAt(visit(), code)
    expect([path, fragment.get('auth_error')]).toEqual(['/pair/done', reason])
    expect(dataOf(await claim(lan))).toEqual({ state: 'refused', reason })
  })

  test('comes to nothing when another browser at the machine comes back in its place', async () => {
    const lan = visitLan()
    const { code } = dataOf(await start(lan))
    const location = await world.provider.follow(dataOf(await approve(visit(), code)).auth_url)
    expect((await comeBack(visit(), location)).fragment.get('auth_error')).toBe('FLOW_FOREIGN_BROWSER')
    expect(dataOf(await claim(lan))).toEqual({ state: 'refused', reason: 'FLOW_FOREIGN_BROWSER' })
  })

  test('is over when the waiting browser gives it up, even while somebody signs in for it', async () => {
    const [lan, machine] = [visitLan(), visit()]
    const first = dataOf(await start(lan))
    dataOf(await lan.client.auth.cancelPairing())
    expect(codeOf(await show(machine, first.code))).toBe('PAIRING_CODE_INVALID')
    const { code } = dataOf(await start(lan))
    const { auth_url } = dataOf(await approve(machine, code))
    const before = world.provider.grants.length
    dataOf(await lan.client.auth.cancelPairing())
    const { fragment } = await comeBack(machine, await world.provider.follow(auth_url))
    expect(fragment.get('auth_error')).toBe('PAIRING_CODE_INVALID')
    expect(world.provider.grants).toHaveLength(before)
    expect(codeOf(await claim(lan))).toBe('PAIRING_CODE_INVALID')
    expect(codeOf(await visitLan().client.auth.cancelPairing())).toBe('ok')
  })

  test('leaves neither its code nor the exchange token in the data directory', async () => {
    const own = await startWorld({ config: TRUSTING })
    await linkedUser(own, 'lan.test')
    const lan = visitLan(own)
    const { code } = dataOf(await start(lan))
    const waiting = dataOf(await start(visitLan(own)))
    await signInAt(visitsOf(own.server)(), code, own)
    const { exchange_token = '' } = dataOf(await claim(lan))
    expect(exchange_token).toMatch(/^[\w-]{43}$/)
    await own.server.stop()
    const secrets = [code, waiting.code, exchange_token].flatMap((secret) => [secret, secret.replace('-', '')])
    const entries = await readdir(own.server.directory, { recursive: true, withFileTypes: true })
    for (const { parentPath, name } of entries.filter((entry) => entry.isFile())) {
      const bytes = await readFile(join(parentPath, name))
      for (const secret of secrets) expect(bytes.includes(secret), name).toBe(false)
    }
    await own.provider.stop()
    await (await startTestServer({ directory: own.server.directory, clock: own.server.clock })).end()
  })
})
