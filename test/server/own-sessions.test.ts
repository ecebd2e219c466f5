import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  ADMIN,
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'

const PASSWORD = 'wooden quiet lamp'
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
})
afterEach(() => server.end())

const ann = () => buildSignedIn(server, ADMIN.username, ADMIN.password)
const listOf = async (visitor: Visitor) => dataOf(await visitor.client.auth.sessions()).sessions
const currentOf = async (visitor: Visitor) => (await listOf(visitor)).find(({ current }) => current)?.session_id ?? ''

describe('the list of own sessions', () => {
  test('shows device, place and time of each, marks the current one, the newest use first', async () => {
    server.clock.advance(MINUTE)
    const visitor = buildVisitor(server.url, { 'User-Agent': 'Firefox/<b>' })
    dataOf(await visitor.client.auth.login({ body: ADMIN }))
    const [first, second, ...others] = await listOf(visitor)
    const now = new Date(server.clock()).toISOString()
    expect(first).toEqual({
      session_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      kind: 'browser',
      auth_source: 'password',
      amr: ['pwd'],
      created_at: now,
      last_seen_at: now,
      expires_at: new Date(server.clock() + 7 * DAY).toISOString(),
      ip: '127.0.0.1',
      user_agent: 'Firefox/<b>',
      current: true,
    })
    expect(second?.current).toBe(false)
    expect(others).toEqual([])
  })

  test('shows nobody else, nothing ended and no secret', async () => {
    await createUser(admin, { username: 'other', password: PASSWORD })
    await buildSignedIn(server, 'other', PASSWORD)
    const gone = await ann()
    await gone.client.auth.logout()
    const text = JSON.stringify(await listOf(admin))
    expect(await listOf(admin)).toHaveLength(1)
    expect(text).not.toContain(admin.cookies.get('latchkey_session'))
  })

  test('moves the last use along, at most once a minute', async () => {
    const seen = async () => Date.parse((await listOf(await ann())).at(-1)?.last_seen_at ?? '')
    const start = server.clock()
    server.clock.advance(30_000)
    await admin.client.auth.me()
    expect(await seen()).toBe(start)
    server.clock.advance(31_000)
    await admin.client.auth.me()
    await admin.client.auth.me()
    expect(Date.parse((await listOf(admin)).find(({ current }) => current)?.last_seen_at ?? '')).toBe(start + 61_000)
  })

  test('cuts a user agent that is longer than anybody reads', async () => {
    const visitor = buildVisitor(server.url, { 'User-Agent': 'x'.repeat(5000) })
    dataOf(await visitor.client.auth.login({ body: ADMIN }))
    expect((await listOf(visitor)).find(({ current }) => current)?.user_agent).toHaveLength(400)
  })
})

describe('ending sessions', () => {
  test('one: it ends there and nowhere else', async () => {
    const other = await ann()
    const session_id = await currentOf(other)
    expect(codeOf(await admin.client.auth.revokeSession({ params: { session_id } }))).toBe('ok')
    expect(codeOf(await other.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
    expect(codeOf(await admin.client.auth.revokeSession({ params: { session_id } }))).toBe('SESSION_NOT_FOUND')
  })

  test('the current one: the cookie goes with it', async () => {
    const session_id = await currentOf(admin)
    expect(codeOf(await admin.client.auth.revokeSession({ params: { session_id } }))).toBe('ok')
    expect(admin.cookies.size).toBe(0)
  })

  test("somebody else's is not found, for superusers too, and lives on", async () => {
    await createUser(admin, { username: 'other', password: PASSWORD })
    const other = await buildSignedIn(server, 'other', PASSWORD)
    const params = { session_id: await currentOf(other) }
    expect(codeOf(await admin.client.auth.revokeSession({ params }))).toBe('SESSION_NOT_FOUND')
    expect(codeOf(await other.client.auth.me())).toBe('ok')
    expect(codeOf(await other.client.auth.revokeSession({ params: { session_id: await currentOf(admin) } }))).toBe(
      'SESSION_NOT_FOUND',
    )
  })

  test('all others: how many is told, this one stays', async () => {
    const others = [await ann(), await ann()]
    expect(dataOf(await admin.client.auth.revokeOtherSessions())).toEqual({ revoked: 2 })
    for (const other of others) expect(codeOf(await other.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
    expect(dataOf(await admin.client.auth.revokeOtherSessions())).toEqual({ revoked: 0 })
  })

  test('every one: this one too, and login tokens that wait', async () => {
    const other = await ann()
    const login_token = await makeLoginToken(server, 1)
    expect(codeOf(await admin.client.users.invalidateTokens())).toBe('ok')
    expect(admin.cookies.size).toBe(0)
    expect(codeOf(await other.client.auth.me())).toBe('SESSION_EXPIRED')
    const late = await buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })
    expect(codeOf(late)).toBe('LOGIN_TOKEN_INVALID')
  })

  test('survives a restart: what has ended stays ended', async () => {
    const token = admin.cookies.get('latchkey_session')
    await admin.client.auth.logout()
    server = await server.restart()
    const old = buildVisitor(server.url, { Cookie: `latchkey_session=${token}` })
    expect(codeOf(await old.client.auth.me())).toBe('SESSION_EXPIRED')
  })
})

describe('the end of a session by time', () => {
  test('comes after a day without use, and not before', async () => {
    server.clock.advance(DAY - 1)
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
    await expect
      .poll(async () => (await server.storage.sessions.listLive(1, server.clock(), server.clock() - 1)).length)
      .toBe(1)
    server.clock.advance(DAY)
    expect(codeOf(await admin.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('comes after seven days however much it is used, and the cookie never outlives it', async () => {
    for (let day = 0; day < 6; day += 1) {
      server.clock.advance(DAY - MINUTE)
      expect(codeOf(await admin.client.auth.me())).toBe('ok')
      await expect
        .poll(async () => (await server.storage.sessions.listLive(1, server.clock(), server.clock() - 1)).length)
        .toBe(1)
    }
    server.clock.advance(DAY - MINUTE)
    const answer = await admin.http.patch('/api/v2/users/@me', { display_name: 'Ann' })
    expect(answer.headers['set-cookie']?.[0]).toContain('; Max-Age=420;')
    server.clock.advance(7 * MINUTE)
    expect(codeOf(await admin.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('comes sooner where the settings say so', async () => {
    await server.storage.settings.change({ session_idle: 600 }, server.clock())
    await server.storage.settings.change({ session_absolute: 3600 }, server.clock())
    server = await server.restart()
    const visitor = await ann()
    expect(Date.parse((await listOf(visitor)).find(({ current }) => current)?.expires_at ?? '') - server.clock()).toBe(
      HOUR,
    )
    server.clock.advance(10 * MINUTE)
    expect(codeOf(await visitor.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('is not put off by settings out of their bounds', async () => {
    await server.storage.settings.change({ session_idle: 1e15 }, server.clock())
    await server.storage.settings.change({ min_password_length: 0 }, server.clock())
    server = await server.restart()
    expect(dataOf(await buildVisitor(server.url).client.auth.setupStatus()).min_password_length).toBe(8)
    server.clock.advance(DAY)
    const old = buildVisitor(server.url, { Cookie: `latchkey_session=${admin.cookies.get('latchkey_session')}` })
    expect(codeOf(await old.client.auth.me())).toBe('SESSION_EXPIRED')
  })
})
