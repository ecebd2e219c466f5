import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildVisitor, codeOf, dataOf } from '../helpers/visitor.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.end())

const form = (fields: object = {}) => ({
  setup_token: server.setupToken ?? '',
  ...ADMIN,
  confirm_password: ADMIN.password,
  ...fields,
})

describe('before anybody is there', () => {
  test('the page learns that set-up is due', async () => {
    expect(dataOf(await buildVisitor(server.url).client.auth.setupStatus())).toEqual({
      setup_required: true,
      temporary_login_token_enabled: false,
      password_upgrade_required: false,
      atproto_enabled: true,
      atproto_pairing: false,
      account_creation_enabled: false,
      min_password_length: 8,
      insecure_transport: false,
    })
  })

  test('the set-up token has the 256 bits of every secret', () => {
    expect(server.setupToken).toMatch(/^[\w-]{43}$/)
  })

  test.each([
    [{ setup_token: 'x'.repeat(43) }, 'SETUP_TOKEN_INVALID'],
    [{ setup_token: '' }, 'INVALID_JSON_SCHEMA'],
    [{ confirm_password: 'another one entirely' }, 'PASSWORDS_DIFFER'],
    [{ password: 'password1', confirm_password: 'password1' }, 'PASSWORD_UNACCEPTABLE'],
    [{ password: 'short', confirm_password: 'short' }, 'PASSWORD_UNACCEPTABLE'],
    [{ username: 'a b' }, 'INVALID_JSON_SCHEMA'],
    [{ email: 'no address' }, 'INVALID_JSON_SCHEMA'],
    [{ superuser: true }, 'INVALID_JSON_SCHEMA'],
  ])('a form with %j is refused with %s and uses nothing up', async (fields, code) => {
    expect(codeOf(await buildVisitor(server.url).client.auth.setup({ body: form(fields) }))).toBe(code)
    expect(dataOf(await buildVisitor(server.url).client.auth.setupStatus()).setup_required).toBe(true)
  })

  test('nobody can sign in, not even by an empty startup token', async () => {
    const { client } = buildVisitor(server.url)
    expect(codeOf(await client.auth.login({ body: ADMIN }))).toBe('INCORRECT_CREDENTIALS')
    const token = server.mintStartupToken()
    expect(codeOf(await client.auth.login({ body: { login_type: 'temporary_token', temporary_token: token } }))).toBe(
      'TEMPORARY_TOKEN_INVALID',
    )
  })
})

describe('fifty at once', () => {
  test('make one superuser; the others are told that set-up is over', async () => {
    const visitors = Array.from({ length: 50 }, () => buildVisitor(server.url))
    const outcomes = await Promise.all(
      visitors.map(({ client }, at) =>
        client.auth.setup({ body: form({ username: `first-${at}`, setup_token: ` ${server.setupToken}\n` }) }),
      ),
    )
    expect(outcomes.map(codeOf).sort()).toEqual([...Array(49).fill('SETUP_NOT_REQUIRED'), 'ok'])
    const winner = outcomes.findIndex((outcome) => outcome.ok)
    const me = dataOf(await (visitors[winner] ?? buildVisitor(server.url)).client.auth.me())
    expect(me).toMatchObject({ username: `first-${winner}`, superuser: true, is_temporary: false })
    expect(visitors.filter(({ cookies }) => cookies.size > 0)).toHaveLength(1)
    expect((await server.storage.users.list({ sort: 'username', limit: 9 })).total).toBe(1)
    await server.storage.users.edit(me.user_id, { username: ADMIN.username }, server.clock())
  })

  test('one that looked before the winner was there, and comes with the token after, is told the same', async () => {
    const late = await startTestServer()
    try {
      const { isSetUp } = late.storage.users
      const [winner, loser] = [buildVisitor(late.url), buildVisitor(late.url)]
      const seen = Promise.withResolvers<void>()
      const over = Promise.withResolvers<void>()
      late.storage.users.isSetUp = async () => {
        late.storage.users.isSetUp = isSetUp
        const before = await isSetUp()
        seen.resolve()
        await over.promise
        return before
      }
      const setup_token = late.setupToken ?? ''
      const outcome = loser.client.auth.setup({ body: form({ username: 'second', setup_token }) })
      await seen.promise
      expect(codeOf(await winner.client.auth.setup({ body: form({ username: 'first', setup_token }) }))).toBe('ok')
      over.resolve()
      expect(codeOf(await outcome)).toBe('SETUP_NOT_REQUIRED')
    } finally {
      await late.end()
    }
  })

  test('afterwards the same token is worth nothing, whatever comes with it', async () => {
    const { client } = buildVisitor(server.url)
    expect(codeOf(await client.auth.setup({ body: form({ username: 'second' }) }))).toBe('SETUP_NOT_REQUIRED')
    expect(codeOf(await client.auth.setup({ body: form({ setup_token: 'wrong' }) }))).toBe('SETUP_NOT_REQUIRED')
    expect(dataOf(await client.auth.setupStatus()).setup_required).toBe(false)
  })

  test('a restart prints no set-up link and opens nothing again', async () => {
    const old = server.setupToken ?? ''
    server = await server.restart()
    expect(server.setupToken).toBeUndefined()
    const again = await buildVisitor(server.url).client.auth.setup({ body: form({ setup_token: old }) })
    expect(codeOf(again)).toBe('SETUP_NOT_REQUIRED')
    await buildSignedIn(server, ADMIN.username, ADMIN.password)
  })
})
