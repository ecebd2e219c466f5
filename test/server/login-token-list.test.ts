import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoginToken, LoginTokenState } from '../../api/login-tokens.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSignedIn, buildSuperuser, buildVisitor, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'
const PATH = '/api/administration/users/login-tokens'
const HELPS = { password: PASSWORD, permissions: ['LOGIN_TOKENS' as const] }

let server: TestServer
let admin: Visitor
/** May make login tokens for the two whom he manages, of whom the second is a superuser. */
let helper: Visitor
let helperId: number
let managed: number
let chief: number

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  helperId = await createUser(admin, { username: 'helper', ...HELPS })
  managed = await createUser(admin, { username: 'managed', email: 'Managed@Example.org', manager_id: helperId })
  chief = await createUser(admin, {
    username: 'chief',
    superuser: true,
    manager_id: helperId,
    email: 'chief@example.org',
  })
  helper = await buildSignedIn(server, 'helper', PASSWORD)
})
afterAll(() => server.end())

const mint = async (login_user_id: number, by = admin, expires_in = 300) =>
  dataOf(await by.client.loginTokens.create({ body: { login_user_id, expires_in } }))
const revoke = (uuid: string, by = admin) => by.client.loginTokens.revoke({ params: { uuid } })
const redeem = (login_token: string) =>
  buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })

type Query = NonNullable<Parameters<Visitor['client']['loginTokens']['list']>[0]>['query']
type Page = { items: LoginToken[]; next_cursor: string | null }
async function listAll(query: Query = {}, by = admin): Promise<LoginToken[]> {
  const found: LoginToken[] = []
  let cursor: string | null = null
  do {
    const page: Page = dataOf(await by.client.loginTokens.list({ query: { ...query, ...(cursor ? { cursor } : {}) } }))
    found.push(...page.items)
    cursor = page.next_cursor
  } while (cursor !== null)
  return found
}
const names = (tokens: readonly LoginToken[]) => tokens.map(({ uuid }) => uuid)

describe('the list', () => {
  let all: LoginToken[]
  const active = (token: LoginToken) => token.status === 'active'

  beforeAll(async () => {
    await mint(managed)
    await mint(managed, helper)
    await mint(chief)
    const people = await Promise.all(['p-one', 'p-two', 'p-three'].map((username) => createUser(admin, { username })))
    const [first = 0] = people
    dataOf(await admin.client.users.edit({ params: { id: String(first) }, body: { manager_id: helperId } }))
    for (let round = 0; round < 6; round++) {
      for (const person of people) {
        const by = person === first && round % 2 ? helper : admin
        const { uuid, token } = await mint(person, by, round === 0 ? 1 : 86_000)
        if (round === 1) dataOf(await redeem(token))
        if (round === 2) dataOf(await revoke(uuid))
        server.clock.advance(1000)
      }
    }
    dataOf(await admin.client.users.remove({ params: { id: String(people[2]) } }))
    all = await listAll({ with_trashed: 'true' })
  })

  test('holds all that there are once each, the newest first, and never a secret', async () => {
    expect(new Set(names(all)).size).toBe(all.length)
    expect(names(all)).toEqual(names(all).sort().reverse())
    const made = all.map(({ created_at }) => Date.parse(created_at))
    expect(made).toEqual([...made].sort((a, b) => b - a))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['active', 'used', 'revoked', 'expired']))
    expect(all.some(({ login_user }) => login_user === null)).toBe(true)
    for (const token of all) expect(Object.keys(token)).toHaveLength(13)
    expect(JSON.stringify(all)).not.toMatch(/secret|"token"|login_url|hash/)
  })

  test('holds active ones only, unless it is asked for more', async () => {
    expect(await listAll()).toEqual(all.filter(active))
    expect(await listAll({ with_trashed: 'false' })).toEqual(all.filter(active))
  })

  const states: (LoginTokenState | undefined)[] = [undefined, 'active', 'used', 'revoked', 'expired']
  const cases = states.flatMap((status) =>
    ([undefined, 'true', 'false'] as const).map((with_trashed) => [status, with_trashed] as const),
  )
  test.each(cases)(
    'of status %s with_trashed %s is what its filters say, counted and by pages of any size',
    async (...of) => {
      const [status, with_trashed] = of
      for (const by of ['admin', 'helper'] as const) {
        for (const person of [undefined, managed, chief, all.at(-1)?.login_user_id]) {
          for (const maker of [undefined, 1, helperId]) {
            const expected = all.filter(
              (token) =>
                (status ? token.status === status : with_trashed === 'true' || active(token)) &&
                (person === undefined || token.login_user_id === person) &&
                (maker === undefined || token.user_id === maker) &&
                (by === 'admin' || ['managed', 'p-one'].includes(token.login_user?.username ?? '')),
            )
            const query = {
              ...(status ? { status } : {}),
              ...(with_trashed ? { with_trashed } : {}),
              ...(person ? { login_user_id: String(person) } : {}),
              ...(maker ? { user_id: String(maker) } : {}),
            }
            const visitor = by === 'admin' ? admin : helper
            expect(await listAll({ ...query, limit: '3' }, visitor)).toEqual(expected)
            const whole = dataOf(await visitor.client.loginTokens.list({ query: { ...query, limit: '200' } }))
            expect(whole).toEqual({ items: expected, next_cursor: null, total: expected.length, total_exact: true })
          }
        }
      }
    },
  )

  test('does not move when tokens are made while somebody pages', async () => {
    const before = names(await listAll({ with_trashed: 'true' }))
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const query: Query = { with_trashed: 'true', limit: '5', ...(cursor ? { cursor } : {}) }
      const page: Page = dataOf(await admin.client.loginTokens.list({ query }))
      seen.push(...names(page.items))
      cursor = page.next_cursor
      const { uuid } = await mint(managed)
      dataOf(await revoke(uuid))
      server.clock.advance(1)
    } while (cursor !== null)
    expect(seen).toEqual(before)
  })

  test.each([
    { limit: '0' },
    { limit: '201' },
    { with_trashed: 'yes' },
    { status: 'over' },
    { login_user_id: 'x' },
    { user_id: '-1' },
    { q: 'x' },
  ])('refuses %j', async (query) => {
    const { status, data } = await admin.http.get(PATH, { params: query })
    expect([status, data.error]).toEqual([400, 'INVALID_QUERY'])
  })

  test.each(['x', 'AAAA', Buffer.from('\u0000').toString('base64url'), Buffer.from("' or 1").toString('base64url')])(
    'begins anew at the cursor %j, which it has not made',
    async (cursor) => {
      const page = dataOf(await admin.client.loginTokens.list({ query: { cursor, limit: '2' } }))
      expect(names(page.items)).toEqual(names((await listAll()).slice(0, 2)))
    },
  )

  test('stops counting at a thousand, and says so', async () => {
    const many = await createUser(admin, { username: 'many' })
    const now = server.clock()
    for (let made = 0; made <= 1000; made++) {
      const uuid = `00000000-0000-7000-8000-${String(made).padStart(12, '0')}`
      const times = { created_at: now, expires_at: now + 60_000 }
      const who = { user_id: 1, login_user_id: many, reason: null, redirect_to: null }
      await server.storage.loginTokens.create({ uuid, secret_hash: uuid, ...who, ...times }, 5000)
    }
    const query = { login_user_id: String(many) }
    const { total, total_exact } = dataOf(await admin.client.loginTokens.list({ query }))
    expect([total, total_exact]).toEqual([1000, false])
    await server.storage.loginTokens.revoke('00000000-0000-7000-8000-000000000000', now)
    expect(dataOf(await admin.client.loginTokens.list({ query })).total_exact).toBe(true)
  })
})
