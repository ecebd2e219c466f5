import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { authOf, type Endpoint } from '../../api/endpoint.ts'
import { PERMISSIONS } from '../../api/permissions.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSignedIn, buildSuperuser, buildVisitor, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { entries, makeLoginToken, pathOf } from './entries.ts'
import { codeIn } from './raw.ts'
import { enrol } from './totp-codes.ts'

const DAY = 86_400_000
const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let admin: Visitor
let plain: Visitor
let expired: Visitor
let limited: Visitor

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  await createUser(admin, { username: 'gone', password: PASSWORD })
  expired = await buildSignedIn(server, 'gone', PASSWORD)
  server.clock.advance(8 * DAY)
  admin = await buildSignedIn(server, 'ann', 'correct horse staple')
  await createUser(admin, { username: 'plain', password: PASSWORD })
  await createUser(admin, { username: 'gated', password: PASSWORD, require_password_change: true })
  await createUser(admin, { username: 'trusted', password: PASSWORD, permissions: [...PERMISSIONS] })
  plain = await buildSignedIn(server, 'plain', PASSWORD)
  const twofold = await createUser(admin, { username: 'twofold', password: PASSWORD, superuser: true })
  await enrol(server, await buildSignedIn(server, 'twofold', PASSWORD))
  limited = buildVisitor(server.url)
  const login_token = await makeLoginToken(server, twofold)
  dataOf(await limited.client.auth.login({ body: { login_type: 'login_token', login_token } }))
})
afterAll(() => server.end())

const closed = entries.filter(([, entry]) => authOf(entry) !== 'public')
/** Those that judge their target first say more about it than about the body. */
const taking = closed.filter(([, entry]) => entry.body && entry.target?.order === undefined)

/** Calls an entry with a body that no entry takes: the caller's refusal must come before the body's. */
async function call(visitor: Visitor, entry: Endpoint, body: unknown = { no_such_field: 1 }): Promise<string> {
  const data = entry.method === 'GET' || entry.method === 'DELETE' ? {} : { data: body }
  return codeIn((await visitor.http.request({ method: entry.method, url: pathOf(entry), ...data })).data)
}

describe('without a session', () => {
  test.each(closed)('%s answers UNAUTHENTICATED to nobody', async (_name, entry) => {
    const answer = await buildVisitor(server.url).http.request({
      method: entry.method,
      url: pathOf(entry),
      data: 'not json',
    })
    expect([answer.status, codeIn(answer.data)]).toEqual([401, 'UNAUTHENTICATED'])
  })

  test.each(closed)(
    '%s answers UNAUTHENTICATED to a made-up bearer token and to a made-up cookie',
    async (_name, entry) => {
      const bearer = buildVisitor(server.url, { Authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.' })
      const cookie = buildVisitor(server.url, { Cookie: 'latchkey_session=garbage' })
      expect(await call(bearer, entry)).toBe('UNAUTHENTICATED')
      expect(await call(cookie, entry)).toBe('UNAUTHENTICATED')
    },
  )

  test.each(closed)('%s answers SESSION_EXPIRED to a session that has run out', async (_name, entry) => {
    expect(await call(expired, entry)).toBe('SESSION_EXPIRED')
  })
})

describe('with a session that may not', () => {
  test.each(closed)('%s is closed by the password gate unless its entry says open', async (_name, entry) => {
    const code = await call(await buildSignedIn(server, 'gated', PASSWORD), entry)
    if (entry.gate === 'open' || entry.gate === 'password') expect(code).not.toBe('PASSWORD_CHANGE_REQUIRED')
    else expect(code).toBe('PASSWORD_CHANGE_REQUIRED')
  })

  test.each(closed)(
    '%s answers SECOND_FACTOR_REQUIRED to who came by a login token alone, unless its entry says open or proof',
    async (_name, entry) => {
      if (entry.gate === 'open') return
      const code = await call(limited, entry)
      if (entry.gate === 'proof') expect(code).toBe('INVALID_JSON_SCHEMA')
      else expect(code).toBe('SECOND_FACTOR_REQUIRED')
    },
  )

  test.each(closed.filter(([, entry]) => !['session', 'browser'].includes(authOf(entry))))(
    '%s answers ACCESS_DENIED to a person without the permission, before it looks at the body',
    async (_name, entry) => {
      expect(await call(plain, entry)).toBe('ACCESS_DENIED')
    },
  )

  test.each(entries.filter(([, entry]) => entry.fresh))(
    '%s answers REAUTH_REQUIRED to a session that proved itself long ago',
    async (_name, entry) => {
      const stale = await buildSignedIn(server, 'trusted', PASSWORD)
      server.clock.advance(15 * 60_000)
      expect(await call(stale, entry)).not.toBe('REAUTH_REQUIRED')
      server.clock.advance(1000)
      expect(await call(stale, entry)).toBe('REAUTH_REQUIRED')
    },
  )

  test('every risky act is marked as one: second factors and nothing by accident', () => {
    const fresh = entries.filter(([, entry]) => entry.fresh).map(([name]) => name)
    expect(fresh).toEqual(
      expect.arrayContaining(['auth.totpSetup', 'auth.totpConfirm', 'auth.totpDisable', 'auth.totpRecovery']),
    )
  })
})

describe('with a session that may', () => {
  test.each(taking)('%s refuses a body of the wrong shape and an unknown field by name', async (_name, entry) => {
    const caller = await buildSignedIn(server, 'ann', 'correct horse staple')
    for (const body of [{ no_such_field: 1 }, [], '"text"', 'null', '5']) {
      const answer = await caller.http.request({
        method: entry.method,
        url: pathOf(entry),
        data: body,
        headers: { 'Content-Type': 'application/json' },
      })
      expect([answer.status, codeIn(answer.data)]).toEqual([400, 'INVALID_JSON_SCHEMA'])
    }
    const { data } = await caller.http.request({ method: entry.method, url: pathOf(entry), data: { no_such_field: 1 } })
    expect(data.error_data).toContainEqual({ path: 'no_such_field', message: 'unknown field' })
  })

  test('every query parameter nobody knows is refused by name', async () => {
    const answer = await admin.http.get('/api/v2/users?nonsense=1&limit=0&sort=hash')
    expect(codeIn(answer.data)).toBe('INVALID_QUERY')
    expect(answer.data.error_data.map((fault: { path: string }) => fault.path).sort()).toEqual([
      'limit',
      'nonsense',
      'sort',
    ])
  })
})

describe('a verb that an address does not take', () => {
  test.each(entries)('%s answers 405 with Allow to another verb', async (_name, entry) => {
    const answer = await buildVisitor(server.url).http.request({ method: 'PUT', url: pathOf(entry) })
    expect([answer.status, codeIn(answer.data)]).toEqual([405, 'METHOD_NOT_ALLOWED'])
    expect(answer.headers['allow']).toContain(entry.method)
  })

  test.each([
    '/api/',
    '/api/no/such',
    '/api/auth',
    '/api/auth/login/',
    '/API/auth/me',
    '/api/v2/users/%ff',
    '/api/auth/%2e%2e/login',
  ])('%s is nothing that answers', async (path) => {
    const answer = await admin.http.request({ url: path, method: 'DELETE' })
    expect([404, 405]).toContain(answer.status)
    expect(answer.data?.data).toBeUndefined()
  })

  test('a path in capitals is not the same path without its headers', async () => {
    const answer = await admin.http.get('/API/v2/users/@me')
    expect(JSON.stringify(answer.data)).not.toContain('username')
  })
})

describe('HEAD, OPTIONS and GET', () => {
  test.each(entries)('%s is not carried out by HEAD or OPTIONS', async (_name, entry) => {
    const before = await server.storage.users.list({ sort: 'username', limit: 50 })
    for (const method of ['HEAD', 'OPTIONS', 'TRACE']) {
      await admin.http.request({ method, url: pathOf(entry), data: { new_username: 'taken-over' } })
    }
    const after = await server.storage.users.list({ sort: 'username', limit: 50 })
    expect(after).toEqual(before)
    expect(codeIn((await admin.http.get('/api/auth/me')).data)).toBe('ok')
  })
})
