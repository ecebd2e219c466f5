import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { LoginToken } from '../../api/login-tokens.ts'
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
let stranger: number

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
  stranger = await createUser(admin, { username: 'stranger', email: 'stranger@example.org' })
  helper = await buildSignedIn(server, 'helper', PASSWORD)
})
afterAll(() => server.end())

const mint = async (login_user_id: number, by = admin, expires_in = 300) =>
  dataOf(await by.client.loginTokens.create({ body: { login_user_id, expires_in } }))
const read = (uuid: string, by = admin, query: { with_trashed?: 'true' } = {}) =>
  by.client.loginTokens.read({ params: { uuid }, query })
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

const ODD = ['x', '\u0000', '%', "' or 1=1 --", 'f'.repeat(36), '../x', 'ü'.repeat(50), 'a'.repeat(10_000)]

describe('one login token', () => {
  test('is read and revoked, and is over then: the row stays, and its secret is nowhere', async () => {
    const { token, login_url, ...row } = await mint(managed)
    expect(login_url).toContain(token)
    expect(dataOf(await read(row.uuid))).toEqual(row)
    const revoked = { ...row, status: 'revoked', deleted_at: new Date(server.clock()).toISOString() }
    expect(dataOf(await revoke(row.uuid))).toEqual(revoked)
    expect(codeOf(await read(row.uuid))).toBe('TOKEN_NOT_FOUND')
    expect(codeOf(await revoke(row.uuid))).toBe('TOKEN_NOT_FOUND')
    expect(dataOf(await read(row.uuid, admin, { with_trashed: 'true' }))).toEqual(revoked)
    expect(codeOf(await redeem(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('is deleted softly by its use, with time and address', async () => {
    const { uuid, token } = await mint(managed)
    dataOf(await redeem(token))
    const at = new Date(server.clock()).toISOString()
    expect(codeOf(await read(uuid))).toBe('TOKEN_NOT_FOUND')
    expect(codeOf(await revoke(uuid))).toBe('TOKEN_NOT_FOUND')
    expect(dataOf(await read(uuid, admin, { with_trashed: 'true' }))).toMatchObject({
      status: 'used',
      used_at: at,
      used_ip: '127.0.0.1',
      deleted_at: at,
    })
  })

  test('that has expired is read only with those that are over, and there is nothing left to revoke', async () => {
    const { uuid } = await mint(managed, admin, 1)
    server.clock.advance(1000)
    expect(codeOf(await read(uuid))).toBe('TOKEN_NOT_FOUND')
    expect(codeOf(await revoke(uuid))).toBe('TOKEN_NOT_FOUND')
    expect(dataOf(await read(uuid, admin, { with_trashed: 'true' }))).toMatchObject({
      status: 'expired',
      deleted_at: null,
    })
  })

  test.each(ODD)('is not found by %j, whoever asks and whatever for', async (name) => {
    const url = `${PATH}/${encodeURIComponent(name)}`
    for (const method of ['GET', 'DELETE']) {
      const { status, data } = await admin.http.request({ method, url })
      expect([status, data.error]).toEqual([404, 'TOKEN_NOT_FOUND'])
    }
  })

  test('is revoked by one of fifty', async () => {
    const { uuid } = await mint(managed)
    const codes = (await Promise.all(Array.from({ length: 50 }, () => revoke(uuid)))).map(codeOf)
    expect(codes.sort()).toEqual([...Array<string>(49).fill('TOKEN_NOT_FOUND'), 'ok'])
  })

  test('is used or revoked, never both', async () => {
    for (let round = 0; round < 8; round++) {
      const { uuid, token } = await mint(managed)
      const [used, revoked] = await Promise.all([redeem(token), revoke(uuid)])
      expect([codeOf(used), codeOf(revoked)].filter((code) => code === 'ok')).toHaveLength(1)
    }
  })
})

describe('who is not a superuser', () => {
  test('makes, sees, reads and revokes login tokens of whom he manages, whoever made them', async () => {
    const [his, ours] = [await mint(managed, helper), await mint(managed)]
    expect(his.user_id).toBe(helperId)
    expect(names(await listAll({}, helper))).toEqual(expect.arrayContaining([his.uuid, ours.uuid]))
    expect(codeOf(await read(ours.uuid, helper))).toBe('ok')
    expect(codeOf(await revoke(ours.uuid, helper))).toBe('ok')
    expect(codeOf(await revoke(his.uuid, helper))).toBe('ok')
  })

  test.each([
    ['a superuser, even one whom he manages', () => chief],
    ['a stranger', () => stranger],
    ['himself', () => helperId],
  ])('does not reach those of %s', async (_who, target) => {
    const { uuid, token } = await mint(target())
    expect(codeOf(await read(uuid, helper))).toBe('ACCESS_DENIED')
    expect(codeOf(await read(uuid, helper, { with_trashed: 'true' }))).toBe('ACCESS_DENIED')
    expect(codeOf(await revoke(uuid, helper))).toBe('ACCESS_DENIED')
    expect(names(await listAll({ with_trashed: 'true' }, helper))).not.toContain(uuid)
    const body = { login_user_id: target(), expires_in: 60 }
    expect(codeOf(await helper.client.loginTokens.create({ body }))).toBe('ACCESS_DENIED')
    dataOf(await redeem(token))
    expect(codeOf(await read(uuid, helper))).toBe('ACCESS_DENIED')
  })

  test('loses what he made for somebody who has become a superuser since: it lets him in nowhere', async () => {
    const climber = await createUser(admin, { username: 'climber', manager_id: helperId })
    const { token } = await mint(climber, helper)
    dataOf(await admin.client.users.edit({ params: { id: String(climber) }, body: { superuser: true } }))
    expect(codeOf(await redeem(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('who is disabled or deleted takes the unused ones that he made with him, for good', async () => {
    const [off, gone] = [
      await createUser(admin, { username: 'off', ...HELPS }),
      await createUser(admin, { username: 'gone', ...HELPS }),
    ]
    const made = []
    for (const [name, maker] of [['off', off] as const, ['gone', gone] as const]) {
      const guest = await createUser(admin, { username: `guest-of-${name}`, manager_id: maker })
      made.push(await mint(guest, await buildSignedIn(server, name, PASSWORD)))
    }
    const edit = async (enabled: boolean) =>
      dataOf(await admin.client.users.edit({ params: { id: String(off) }, body: { enabled } }))
    await edit(false)
    dataOf(await admin.client.users.remove({ params: { id: String(gone) } }))
    await edit(true)
    for (const { uuid, token } of made) {
      expect(codeOf(await redeem(token))).toBe('LOGIN_TOKEN_INVALID')
      expect(dataOf(await read(uuid, admin, { with_trashed: 'true' })).status).toBe('revoked')
    }
    expect(dataOf(await read(made[1]?.uuid ?? '', admin, { with_trashed: 'true' })).user).toBeNull()
  })
})

describe('making one by mail address', () => {
  const byMail = (login_user_email: string, by = admin) =>
    by.client.loginTokens.createByEmail({ body: { login_user_email, expires_in: 60 } })

  test('finds the person in any case, and answers the same as by id', async () => {
    const minted = dataOf(await byMail('mAnaged@eXample.org', helper))
    expect(minted).toMatchObject({ login_user_id: managed, login_user: { username: 'managed' }, user_id: helperId })
    expect(dataOf(await redeem(minted.token)).username).toBe('managed')
  })

  test('has the same guards, and tells who may ask that nobody has it', async () => {
    expect(codeOf(await byMail('nobody@example.org'))).toBe('USER_NOT_FOUND')
    expect(codeOf(await byMail('nobody@example.org', helper))).toBe('USER_NOT_FOUND')
    expect(codeOf(await byMail('chief@example.org', helper))).toBe('ACCESS_DENIED')
    expect(codeOf(await byMail('stranger@example.org', helper))).toBe('ACCESS_DENIED')
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(codeOf(await byMail('managed@example.org', visitor))).toBe('ACCESS_DENIED')
  })

  test.each(['', 'managed', 'managed@', 5, null, 'a\u0000@example.org'])('refuses %j as one', async (address) => {
    const { data } = await admin.http.post(`${PATH}/email`, { login_user_email: address, expires_in: 60 })
    expect(data.error).toBe('INVALID_JSON_SCHEMA')
  })

  test('wants the sign-in proved again after a quarter of an hour, and goes on when it is', async () => {
    server.clock.advance(15 * 60_000 + 1)
    expect(codeOf(await byMail('managed@example.org'))).toBe('REAUTH_REQUIRED')
    dataOf(await admin.client.auth.reauth({ body: { password: ADMIN.password } }))
    expect(codeOf(await byMail('managed@example.org'))).toBe('ok')
  })

  test('counts among the ten of that person', async () => {
    const crowded = await createUser(admin, { username: 'crowded', email: 'crowded@example.org' })
    const tries = Array.from({ length: 50 }, (_, at) =>
      at % 2 === 0
        ? byMail('crowded@example.org')
        : admin.client.loginTokens.create({ body: { login_user_id: crowded, expires_in: 60 } }),
    )
    const codes = (await Promise.all(tries)).map(codeOf)
    expect(codes.filter((code) => code === 'ok')).toHaveLength(10)
    expect(codes.filter((code) => code === 'TOO_MANY_ACTIVE')).toHaveLength(40)
  })
})
