import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'
import { codeAt, enrol } from './totp-codes.ts'

const OLD = 'wooden quiet lamp'
const TEMPORARY = 'Temp-4711-hearth'
const NEW = 'tall grass at noon'
const HOUR = 3_600_000

let server: TestServer
let admin: Visitor
let id: number
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, { username: 'bert', password: OLD })
})
afterEach(() => server.end())

type Reset = Parameters<Visitor['client']['users']['resetPassword']>[0]['body']
const reset = (body: Partial<Reset> = {}, by = admin, target = id) =>
  by.client.users.resetPassword({ params: { id: String(target) }, body: { password: TEMPORARY, ...body } })
const login = (password: string, fields: object = {}) =>
  buildVisitor(server.url).client.auth.login({ body: { username: 'bert', password, ...fields } })
const rowOf = async () => (await server.storage.users.find(id)) ?? expect.fail('no such user')

describe('a reset', () => {
  test('answers the password and its end, and puts the person before the change form', async () => {
    const answered = dataOf(await reset({ expires_hours: 24 }))
    expect(answered).toEqual({ password: TEMPORARY, expires: new Date(server.clock() + 24 * HOUR).toISOString() })
    expect(codeOf(await login(OLD))).toBe('INCORRECT_CREDENTIALS')
    expect(dataOf(await login(TEMPORARY)).require_password_change).toBe(true)
  })

  test.each([
    [{ expires_hours: -1 }, true],
    [{}, true],
    [{ expires_hours: 24, require_password_change: false }, false],
    [{ require_password_change: false }, false],
  ])('%j has no end', async (body, require_password_change) => {
    expect(dataOf(await reset(body))).toEqual({ password: TEMPORARY })
    expect(await rowOf()).toMatchObject({ require_password_change, password_expires: null })
    server.clock.advance(9000 * HOUR)
    expect(codeOf(await login(TEMPORARY))).toBe('ok')
  })

  test.each([
    {},
    { password: 'short77' },
    { password: 'é'.repeat(129) },
    { password: `nul\0inside it` },
    { password: 12345678 },
    { password: null },
    ...[0, -2, 8761, 1.5, '24', null].map((expires_hours) => ({ password: TEMPORARY, expires_hours })),
    { password: TEMPORARY, require_password_change: 'yes' },
    { password: TEMPORARY, revoke_developer_tokens: 1 },
    { password: TEMPORARY, superuser: true },
  ])('refuses %j and changes nothing', async (body) => {
    const before = await rowOf()
    const { status, data } = await admin.http.post(`/api/v2/users/${id}/reset-password`, body)
    expect([status, data.error]).toEqual([400, 'INVALID_JSON_SCHEMA'])
    expect(await rowOf()).toEqual(before)
  })

  test('judges the target before the body', async () => {
    const post = async (target: number | string, by = admin) =>
      (await by.http.post(`/api/v2/users/${target}/reset-password`, { nonsense: true })).data.error
    await createUser(admin, { username: 'chief', password: OLD, permissions: ['USER_CONFIG'] })
    await createUser(admin, { username: 'plain', password: OLD })
    const [chief, plain] = [await buildSignedIn(server, 'chief', OLD), await buildSignedIn(server, 'plain', OLD)]
    expect(await post(9999)).toBe('USER_NOT_FOUND')
    expect(await post(1)).toBe('SELF_RESET')
    expect(await post('one')).toBe('NOT_FOUND')
    expect([await post(1, chief), await post(id, chief), await post(9999, chief)]).toEqual([
      'ACCESS_DENIED',
      'ACCESS_DENIED',
      'USER_NOT_FOUND',
    ])
    expect([await post(id, plain), await post(9999, plain)]).toEqual(['ACCESS_DENIED', 'ACCESS_DENIED'])
  })

  test('ends what the contract says it ends, and nothing else', async () => {
    const bert = await buildSignedIn(server, 'bert', OLD)
    const login_token = await makeLoginToken(server, id)
    const developer = await buildDeveloper()
    const bystander = await makeLoginToken(server, 1)
    dataOf(await reset())
    expect(codeOf(await bert.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await redeem(login_token))).toBe('LOGIN_TOKEN_INVALID')
    expect(codeOf(await developer.client.auth.me())).toBe('ok')
    expect(codeOf(await redeem(bystander))).toBe('ok')
    dataOf(await reset({ revoke_developer_tokens: true }))
    expect(codeOf(await developer.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('keeps the second factor, and forgets the browsers that were trusted', async () => {
    const { secret } = await enrol(server, await buildSignedIn(server, 'bert', OLD))
    const visitor = buildVisitor(server.url)
    const body = { username: 'bert', password: OLD, code: codeAt(server, secret), trust_device_flag: true }
    dataOf(await visitor.client.auth.login({ body }))
    dataOf(await reset())
    const again = await visitor.client.auth.login({ body: { username: 'bert', password: TEMPORARY } })
    expect(codeOf(again)).toBe('TOTP_REQUIRED')
    server.clock.advance(60_000)
    expect(codeOf(await login(TEMPORARY, { code: codeAt(server, secret) }))).toBe('ok')
  })

  test('opens an account that was locked', async () => {
    for (let failure = 0; failure < 100; failure += 1) {
      await login('not the right one')
      server.clock.advance(5 * 60_000)
    }
    expect(codeOf(await login(OLD))).toBe('TOO_MANY_ATTEMPTS')
    dataOf(await reset())
    expect(codeOf(await login(TEMPORARY))).toBe('ok')
  })

  test('in the same second as a sign-in is not mistaken for one before it', async () => {
    dataOf(await reset())
    const bert = await buildSignedIn(server, 'bert', TEMPORARY)
    expect(codeOf(await bert.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    dataOf(await bert.client.users.editMe({ body: { password: NEW } }))
    expect(codeOf(await bert.client.auth.me())).toBe('ok')
  })

  test('of somebody who was never given a password lets him in', async () => {
    id = await createUser(admin, { username: 'carla' })
    dataOf(await reset())
    expect(
      codeOf(
        await buildSignedIn(server, 'carla', TEMPORARY).then((v) => v.client.users.editMe({ body: { password: NEW } })),
      ),
    ).toBe('ok')
  })

  test('of a disabled account does not open it', async () => {
    dataOf(await admin.client.users.edit({ params: { id: String(id) }, body: { enabled: false } }))
    dataOf(await reset())
    expect(codeOf(await login(TEMPORARY))).toBe('ACCOUNT_DISABLED')
  })

  test('a second time replaces the first, its end included', async () => {
    dataOf(await reset({ expires_hours: 1 }))
    dataOf(await reset({ password: 'Temp-4712-hearth', expires_hours: -1 }))
    server.clock.advance(2 * HOUR)
    expect(codeOf(await login(TEMPORARY))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await login('Temp-4712-hearth'))).toBe('ok')
  })

  test('leaves a line with who did it to whom, and never the password', async () => {
    dataOf(await reset())
    const log = await readFile(join(server.directory, 'latchkey.log'), 'utf8')
    const line: unknown = JSON.parse(log.split('\n').find((text) => text.includes('password_reset')) ?? '{}')
    expect(line).toMatchObject({ event: 'password_reset', user_id: id, by: 1, require_password_change: true })
    expect(log).not.toContain(TEMPORARY)
  })
})

describe('a changed password clears both columns, whoever changed it', () => {
  const gated = { require_password_change: true, expires_hours: 1 }
  const open = { require_password_change: false, password_expires: null }

  test('the person himself', async () => {
    dataOf(await reset(gated))
    dataOf(await (await buildSignedIn(server, 'bert', TEMPORARY)).client.users.editMe({ body: { password: NEW } }))
    expect(await rowOf()).toMatchObject(open)
  })

  test('an administrator, by a reset that demands nothing', async () => {
    dataOf(await reset(gated))
    dataOf(await reset({ require_password_change: false }))
    expect(await rowOf()).toMatchObject(open)
  })

  test('the startup token, even after the end of the temporary password', async () => {
    const { password_hash } = (await server.storage.users.find(1)) ?? expect.fail('no superuser')
    const at = server.clock()
    const gate = { password_hash: password_hash ?? '', require_password_change: true, password_expires: at + 1, at }
    await server.storage.users.setPassword(1, gate)
    server.clock.advance(HOUR)
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(codeOf(await visitor.client.users.list())).toBe('PASSWORD_CHANGE_REQUIRED')
    dataOf(await visitor.client.users.editMe({ body: { password: NEW } }))
    expect(await server.storage.users.find(1)).toMatchObject(open)
  })
})

describe('the gate', () => {
  test('holds a superuser like anybody: he cannot walk out by what superusers may', async () => {
    id = await createUser(admin, {
      username: 'boss',
      password: TEMPORARY,
      superuser: true,
      require_password_change: true,
    })
    const boss = await buildSignedIn(server, 'boss', TEMPORARY)
    const params = { id: String(id) }
    const ways = await Promise.all([
      boss.client.users.edit({ params, body: { display_name: 'Out' } }),
      boss.client.users.resetPassword({ params, body: { password: NEW, require_password_change: false } }),
      boss.client.users.create({ body: { username: 'helper', superuser: true, password: NEW } }),
      boss.client.settings.change({ body: { min_password_length: 8 } }),
      boss.client.loginTokens.create({ body: { login_user_id: 1, expires_in: 60 } }),
      boss.client.users.remove({ params }),
    ])
    expect(ways.map(codeOf)).toEqual(ways.map(() => 'PASSWORD_CHANGE_REQUIRED'))
    expect(await rowOf()).toMatchObject({ require_password_change: true })
  })

  test('does not hold a developer token, which reaches no administration and no password', async () => {
    dataOf(await admin.client.users.edit({ params: { id: String(id) }, body: { superuser: true } }))
    const bearer = await buildDeveloper()
    dataOf(await reset())
    expect(codeOf(await bearer.client.auth.me())).toBe('ok')
    expect(codeOf(await bearer.client.users.readMe())).toBe('ok')
    const params = { id: '1' }
    const forbidden = await Promise.all([
      bearer.client.users.editMe({ body: { password: NEW } }),
      bearer.client.auth.editAccount({ body: { new_password: NEW, confirm_password: NEW } }),
      bearer.client.users.list(),
      bearer.client.users.read({ params }),
      bearer.client.users.create({ body: { username: 'helper' } }),
      bearer.client.users.edit({ params, body: { enabled: false } }),
      bearer.client.users.remove({ params: { id: String(id) } }),
      bearer.client.users.resetPassword({ params, body: { password: NEW } }),
      bearer.client.users.sessions({ params }),
      bearer.client.loginTokens.create({ body: { login_user_id: 1, expires_in: 60 } }),
      bearer.client.settings.read(),
      bearer.client.auth.totpSetup(),
    ])
    expect(forbidden.map(codeOf)).toEqual(forbidden.map(() => 'ACCESS_DENIED'))
  })
})

describe('a deleted user', () => {
  test('is gone with everything that let him in; those he managed have no manager', async () => {
    const bert = await buildSignedIn(server, 'bert', OLD)
    const login_token = await makeLoginToken(server, id)
    const managed = await createUser(admin, { username: 'managed', manager_id: id })
    expect(dataOf(await admin.client.users.remove({ params: { id: String(id) } }))).toEqual({})
    expect(codeOf(await bert.client.auth.me())).toBe('UNAUTHENTICATED')
    expect(codeOf(await login(OLD))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await redeem(login_token))).toBe('LOGIN_TOKEN_INVALID')
    expect((await server.storage.users.find(managed))?.manager_id).toBeNull()
    expect(codeOf(await admin.client.users.read({ params: { id: String(id) } }))).toBe('USER_NOT_FOUND')
  })

  test('frees the name, and never the number', async () => {
    dataOf(await admin.client.users.remove({ params: { id: String(id) } }))
    expect(await createUser(admin, { username: 'bert' })).toBeGreaterThan(id)
  })

  test('is never the last superuser, however many delete each other at once', async () => {
    expect(codeOf(await admin.client.users.remove({ params: { id: '1' } }))).toBe('LAST_SUPERUSER')
    const ids = await Promise.all(
      [1, 2, 3].map((n) => createUser(admin, { username: `boss${n}`, password: OLD, superuser: true })),
    )
    const bosses = await Promise.all([1, 2, 3].map((n) => buildSignedIn(server, `boss${n}`, OLD)))
    const everybody = [1, ...ids]
    await Promise.all(
      [admin, ...bosses].flatMap((boss) =>
        everybody.map((target) => boss.client.users.remove({ params: { id: String(target) } })),
      ),
    )
    expect(await server.storage.users.superusers(5)).toHaveLength(1)
  })
})

const redeem = (login_token: string) =>
  buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })

/** A program with a developer token of bert's. */
async function buildDeveloper(): Promise<Visitor> {
  const { token } = dataOf(await (await buildSignedIn(server, 'bert', OLD)).client.auth.createDeveloperToken())
  return buildVisitor(server.url, { Authorization: `Bearer ${token}` })
}
