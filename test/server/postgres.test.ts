import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase } from '../helpers/postgres.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildVisitor, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'

const PASSWORD = 'wooden quiet lamp'

let database: Awaited<ReturnType<typeof createDatabase>>
let one: TestServer
let two: TestServer
let admin: Visitor

beforeAll(async () => {
  database = await createDatabase()
  one = await startTestServer({ config: { database: database.url } })
  const { directory } = one
  // A second server of the same house: same database, same keys.
  two = await startTestServer({
    config: { database: database.url, logFile: `${directory}/second.log` },
    directory,
    clock: one.clock,
  })
  const tokens = [one, two].map(({ setupToken = '' }) => setupToken)
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, at) =>
      buildVisitor((at % 2 === 0 ? one : two).url).client.auth.setup({
        body: { setup_token: tokens[at % 2] ?? '', ...ADMIN, confirm_password: ADMIN.password },
      }),
    ),
  )
  expect(outcomes.map(codeOf).sort()).toEqual([...Array(19).fill('SETUP_NOT_REQUIRED'), 'ok'])
  admin = await buildSignedIn(one, ADMIN.username, ADMIN.password)
})
afterAll(async () => {
  await two.stop()
  await one.end()
  await database.drop()
})

describe('two servers on one PostgreSQL', () => {
  test('make one superuser, of twenty tries at both', async () => {
    expect((await one.storage.users.list({ sort: 'username', limit: 9 })).total).toBe(1)
  })

  test("know each other's sessions, and their end at once", async () => {
    const token = admin.cookies.get('latchkey_session')
    const elsewhere = buildVisitor(two.url, { Cookie: `latchkey_session=${token}` })
    expect(codeOf(await elsewhere.client.auth.me())).toBe('ok')
    const other = await buildSignedIn(one, ADMIN.username, ADMIN.password)
    await other.client.auth.revokeOtherSessions()
    expect(codeOf(await elsewhere.client.auth.me())).toBe('SESSION_EXPIRED')
    admin = other
  })

  test('let a login token in once between them', async () => {
    const id = await createUser(admin, { username: 'guest' })
    const login_token = await makeLoginToken(one, id)
    const tries = Array.from({ length: 40 }, (_, at) =>
      buildVisitor((at % 2 === 0 ? one : two).url).client.auth.login({
        body: { login_type: 'login_token', login_token },
      }),
    )
    expect((await Promise.all(tries)).filter(({ ok }) => ok)).toHaveLength(1)
  })

  test('keep one superuser when each demotes the other', async () => {
    const bob = await createUser(admin, { username: 'bob', password: PASSWORD, superuser: true })
    const bobs = await buildSignedIn(two, 'bob', PASSWORD)
    const outcomes = await Promise.all([
      admin.client.users.edit({ params: { id: String(bob) }, body: { superuser: false } }),
      bobs.client.users.edit({ params: { id: '1' }, body: { superuser: false } }),
    ])
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    const [left, ...others] = await one.storage.users.superusers(5)
    expect(others).toEqual([])
    await one.storage.users.edit(1, { superuser: true }, one.clock())
    if (left?.user_id !== 1) admin = await buildSignedIn(one, ADMIN.username, ADMIN.password)
  })

  test('count wrong passwords together', async () => {
    for (const server of [one, two, one])
      await buildVisitor(server.url).client.auth.login({ body: { username: 'guest', password: 'x' } })
    const fourth = await buildVisitor(two.url).client.auth.login({ body: { username: 'guest', password: 'x' } })
    expect(codeOf(fourth)).toBe('TOO_MANY_ATTEMPTS')
  })
})

describe('what PostgreSQL refuses where the embedded database does not', () => {
  test('is refused before it gets there: NUL, half characters, numbers too large', async () => {
    const codes = await Promise.all([
      admin.client.users.create({ body: { username: 'texts', display_name: 'a\u0000b' } }),
      admin.client.auth.login({ body: { username: 'a\u0000', password: 'x' } }),
      admin.client.users.list({ query: { q: '\u0000' } }),
      admin.client.users.create({ body: { username: 'mgr', manager_id: 2_147_483_647 } }),
      admin.client.users.read({ params: { id: '2147483647' } }),
      admin.client.users.read({ params: { id: '9999999999' } }),
      admin.client.auth.revokeSession({ params: { session_id: '\u0000' } }),
      admin.client.auth.revokeTrustedDevice({ params: { device_id: '\u0000' } }),
      admin.client.auth.logout({ query: { switch_to: '\u0000' } }),
    ])
    expect(codes.map(codeOf)).toEqual([
      'INVALID_JSON_SCHEMA',
      'INVALID_JSON_SCHEMA',
      'INVALID_QUERY',
      'MANAGER_INVALID',
      'USER_NOT_FOUND',
      'NOT_FOUND',
      'NOT_FOUND',
      'NOT_FOUND',
      'SWITCH_TARGET_INVALID',
    ])
  })

  test('is passed over in a cursor that somebody made', async () => {
    for (const fields of [
      ['username', 'a\u0000', 1],
      ['created_at', 'word', 1],
      ['created_at', 1.5, 1],
      ['created_at', 5, 2 ** 40],
    ]) {
      const cursor = Buffer.from(JSON.stringify(fields)).toString('base64url')
      const sort = fields[0] === 'username' ? 'username' : 'created_at'
      expect(dataOf(await admin.client.users.list({ query: { sort, cursor } })).items.length).toBeGreaterThan(0)
    }
  })

  test('pages through every sort all the same', async () => {
    for (const sort of ['username', '-username', 'created_at', '-last_sign_in_at'] as const) {
      const names: string[] = []
      let cursor: string | undefined
      do {
        const page = dataOf(
          await admin.client.users.list({ query: { sort, limit: '1', ...(cursor === undefined ? {} : { cursor }) } }),
        )
        names.push(...page.items.map(({ username }) => username))
        cursor = page.next_cursor ?? undefined
      } while (cursor !== undefined)
      expect([...names].sort()).toEqual(['ann', 'bob', 'guest'])
    }
  })
})
