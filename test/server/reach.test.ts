import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { entries } from './entries.ts'
import { enrol } from './totp-codes.ts'

/** Every route that could take an account over, crossed with every kind of caller and of target. */

const PASSWORD = 'wooden quiet lamp'

type Caller = 'superuser' | 'chief' | 'clerk' | 'gated'
type Victim = 'managed' | 'unmanaged' | 'superuser' | 'managed superuser' | 'disabled' | 'oneself' | 'nobody'
type Route = (by: Visitor, user_id: number) => Promise<string>

let server: TestServer
let root: Visitor
let callers: Record<Caller, { visitor: Visitor; user_id: number }>
let made = 0

beforeAll(async () => {
  server = await startTestServer()
  root = await buildSuperuser(server)
  const build = async (username: string, fields: object = {}) => {
    const user_id = await createUser(root, { username, password: PASSWORD, ...fields })
    return { user_id, visitor: await buildSignedIn(server, username, PASSWORD) }
  }
  callers = {
    superuser: await build('second', { superuser: true }),
    chief: await build('chief', { permissions: ['USER_CONFIG', 'LOGIN_TOKENS', 'AUDIT_LOG', 'SETTINGS'] }),
    clerk: await build('clerk'),
    gated: await build('gated', { superuser: true, require_password_change: true }),
  }
})
afterAll(() => server.end())

const params = (user_id: number) => ({ id: String(user_id) })

const routes: Record<string, Route> = {
  'users.read': async (by, id) => codeOf(await by.client.users.read({ params: params(id) })),
  'users.edit': async (by, id) =>
    codeOf(await by.client.users.edit({ params: params(id), body: { display_name: 'X' } })),
  'users.edit, to disable': async (by, id) =>
    codeOf(await by.client.users.edit({ params: params(id), body: { enabled: false } })),
  'users.remove': async (by, id) => codeOf(await by.client.users.remove({ params: params(id) })),
  'users.resetPassword': async (by, id) =>
    codeOf(await by.client.users.resetPassword({ params: params(id), body: { password: 'Temp-4711-hearth' } })),
  'users.resetSecondFactor': async (by, id) => codeOf(await by.client.users.resetSecondFactor({ params: params(id) })),
  'users.sessions': async (by, id) => codeOf(await by.client.users.sessions({ params: params(id) })),
  'users.revokeSessions': async (by, id) => codeOf(await by.client.users.revokeSessions({ params: params(id) })),
  'users.revokeSession': async (by, id) =>
    codeOf(await by.client.users.revokeSession({ params: { ...params(id), session_id: 'f'.repeat(32) } })),
  'loginTokens.create': async (by, id) =>
    codeOf(await by.client.loginTokens.create({ body: { login_user_id: id, expires_in: 60 } })),
}

/** What a caller gets who may: nearly always `ok`, but there is no such session and no second factor to take. */
const LET_IN: Record<string, string> = {
  'users.revokeSession': 'SESSION_NOT_FOUND',
  'users.resetSecondFactor': 'TOTP_NOT_ENABLED',
}

const REFUSED: Record<Caller, Partial<Record<Victim, string>>> = {
  superuser: { nobody: 'USER_NOT_FOUND' },
  chief: {
    unmanaged: 'ACCESS_DENIED',
    superuser: 'ACCESS_DENIED',
    'managed superuser': 'ACCESS_DENIED',
    disabled: 'ACCESS_DENIED',
    nobody: 'USER_NOT_FOUND',
  },
  clerk: {
    managed: 'ACCESS_DENIED',
    unmanaged: 'ACCESS_DENIED',
    superuser: 'ACCESS_DENIED',
    'managed superuser': 'ACCESS_DENIED',
    disabled: 'ACCESS_DENIED',
    nobody: 'ACCESS_DENIED',
  },
  gated: {},
}

/** What people meet at their own door, by route; `let in` where nothing stands against it. */
const ONESELF: Record<string, Partial<Record<Caller, string>>> = {
  'users.edit, to disable': { chief: 'INVALID_FIELD_MODIFY', clerk: 'INVALID_FIELD_MODIFY' },
  'users.resetPassword': { superuser: 'SELF_RESET', chief: 'ACCESS_DENIED', clerk: 'ACCESS_DENIED' },
  'users.resetSecondFactor': { superuser: 'SELF_RESET', chief: 'ACCESS_DENIED', clerk: 'ACCESS_DENIED' },
  'users.sessions': { clerk: 'ACCESS_DENIED' },
  'users.revokeSession': { clerk: 'ACCESS_DENIED' },
  'users.revokeSessions': { clerk: 'ACCESS_DENIED' },
  'loginTokens.create': { chief: 'ACCESS_DENIED', clerk: 'ACCESS_DENIED' },
}

const VICTIMS: readonly Victim[] = [
  'managed',
  'unmanaged',
  'superuser',
  'managed superuser',
  'disabled',
  'oneself',
  'nobody',
]
const CALLERS: readonly Caller[] = ['superuser', 'chief', 'clerk', 'gated']
/** These end the caller himself; tested below, one by one. */
const SUICIDAL = new Set(['users.remove', 'users.edit, to disable', 'users.revokeSessions'])

async function buildVictim(kind: Victim, caller: Caller): Promise<number> {
  if (kind === 'oneself') return callers[caller].user_id
  if (kind === 'nobody') return 987_654
  const manager_id = callers.chief.user_id
  const fields = {
    managed: { manager_id },
    unmanaged: {},
    superuser: { superuser: true },
    'managed superuser': { superuser: true, manager_id },
    disabled: { enabled: false },
  }[kind]
  return createUser(root, { username: `victim${(made += 1)}`, password: PASSWORD, ...fields })
}

function expected(route: string, caller: Caller, victim: Victim): string {
  if (caller === 'gated') return 'PASSWORD_CHANGE_REQUIRED'
  if (victim === 'oneself') return ONESELF[route]?.[caller] ?? LET_IN[route] ?? 'ok'
  return REFUSED[caller][victim] ?? LET_IN[route] ?? 'ok'
}

const crossing = Object.keys(routes).flatMap((route) =>
  CALLERS.flatMap((caller) =>
    VICTIMS.filter((victim) => victim !== 'oneself' || caller === 'gated' || !SUICIDAL.has(route)).map(
      (victim): [string, Caller, Victim] => [route, caller, victim],
    ),
  ),
)

test.each(crossing)('%s by %s on %s', async (route, caller, victim) => {
  const { visitor } = callers[caller]
  const user_id = await buildVictim(victim, caller)
  const before = await server.storage.users.find(user_id)
  const run = routes[route] ?? expect.fail('no such route')
  const code = await run(visitor, user_id)
  expect(code).toBe(expected(route, caller, victim))
  if (code !== 'ok') expect(await server.storage.users.find(user_id)).toEqual(before)
})

test('no route that names a user is missing here', () => {
  const named = entries.filter(([, entry]) => entry.target).map(([name]) => name)
  expect(Object.keys(routes)).toEqual(expect.arrayContaining(named))
})

describe('on oneself', () => {
  const build = async (fields: object) => {
    const username = `self${(made += 1)}`
    const user_id = await createUser(root, { username, password: PASSWORD, ...fields })
    return { user_id, visitor: await buildSignedIn(server, username, PASSWORD) }
  }

  test.each([{}, { superuser: true }, { permissions: ['USER_CONFIG' as const] }])(
    'anybody may delete himself, and is signed out by it: %j',
    async (fields) => {
      const { user_id, visitor } = await build(fields)
      expect(codeOf(await visitor.client.users.remove({ params: params(user_id) }))).toBe('ok')
      expect(visitor.cookies.has('latchkey_session')).toBe(false)
      expect(await server.storage.users.find(user_id)).toBeUndefined()
    },
  )

  test('a superuser may disable himself while another is left', async () => {
    const { user_id, visitor } = await build({ superuser: true })
    expect(codeOf(await visitor.client.users.edit({ params: params(user_id), body: { enabled: false } }))).toBe('ok')
    expect(codeOf(await visitor.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('ending all sessions by number signs oneself out', async () => {
    const { user_id, visitor } = await build({ superuser: true })
    expect(codeOf(await visitor.client.users.revokeSessions({ params: params(user_id) }))).toBe('ok')
    expect(visitor.cookies.has('latchkey_session')).toBe(false)
  })
})

test('a permission lost takes the reach with it, in a session that is under way', async () => {
  const chief = await createUser(root, { username: 'former', password: PASSWORD, permissions: ['USER_CONFIG'] })
  const managed = await createUser(root, { username: 'theirs', password: PASSWORD, manager_id: chief })
  const visitor = await buildSignedIn(server, 'former', PASSWORD)
  expect(codeOf(await visitor.client.users.sessions({ params: params(managed) }))).toBe('ok')
  dataOf(await root.client.users.edit({ params: params(chief), body: { permissions: [] } }))
  expect(codeOf(await visitor.client.users.sessions({ params: params(managed) }))).toBe('ACCESS_DENIED')
})

test('a second factor is taken away with its recovery codes and trusted browsers, and the person may enrol anew', async () => {
  const user_id = await createUser(root, { username: 'lost-phone', password: PASSWORD })
  await enrol(server, await buildSignedIn(server, 'lost-phone', PASSWORD))
  expect((await server.storage.users.find(user_id))?.totp_confirmed_at).not.toBeNull()
  dataOf(await root.client.users.resetSecondFactor({ params: params(user_id) }))
  expect(await server.storage.recoveryCodes.count(user_id)).toBe(0)
  await enrol(server, await buildSignedIn(server, 'lost-phone', PASSWORD))
})
