import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Access } from '../../api/access.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'
const HOUR = 3_600_000

let server: TestServer
let admin: Visitor
let manager: Visitor
let people: Record<'mona' | 'bert' | 'carla' | 'root', number>

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  const mona = await createUser(admin, { username: 'mona', password: PASSWORD, permissions: ['USER_CONFIG'] })
  people = {
    mona,
    bert: await createUser(admin, { username: 'bert', password: PASSWORD, manager_id: mona }),
    carla: await createUser(admin, { username: 'carla', password: PASSWORD }),
    root: await createUser(admin, { username: 'root', password: PASSWORD, superuser: true, manager_id: mona }),
  }
  manager = await buildSignedIn(server, 'mona', PASSWORD)
})
afterAll(() => server.end())

async function board(visitor: Visitor, query: Parameters<Visitor['client']['access']['list']>[0] = {}) {
  return dataOf(await visitor.client.access.list(query))
}

async function mint(login_user_id: number, reason: string) {
  return dataOf(await admin.client.loginTokens.create({ body: { login_user_id, expires_in: 600, reason } }))
}

const reset = (id: number) =>
  admin.client.users.resetPassword({
    params: { id: String(id) },
    body: { password: 'temporary one', expires_hours: 2 },
  })

describe('the access board', () => {
  test('shows each way in: whose it is, who made it and why, its last use and its end; and no secret', async () => {
    const token = await mint(people.carla, 'laptop broke')
    const visitor = await buildSignedIn(server, 'carla', PASSWORD)
    const { items, counts, total, total_exact } = await board(admin, { query: { user_id: String(people.carla) } })
    const carla = { user_id: people.carla, username: 'carla', display_name: null }
    const now = new Date(server.clock()).toISOString()
    expect(items).toHaveLength(2)
    expect(items.find(({ kind }) => kind === 'login_token')).toEqual({
      kind: 'login_token',
      id: token.uuid,
      user: carla,
      made_by: { user_id: 1, username: ADMIN.username, display_name: null },
      reason: 'laptop broke',
      auth_source: null,
      amr: [],
      created_at: now,
      last_used_at: null,
      expires_at: new Date(server.clock() + 600_000).toISOString(),
      ip: null,
      user_agent: null,
      current: false,
    } satisfies Access)
    expect(items.find(({ kind }) => kind === 'session')).toMatchObject({
      user: carla,
      made_by: null,
      auth_source: 'password',
      amr: ['pwd'],
      last_used_at: now,
      // The idle limit ends it before its own time is over.
      expires_at: new Date(server.clock() + 24 * HOUR).toISOString(),
      ip: '127.0.0.1',
    })
    expect({ counts, total, total_exact }).toMatchObject({
      counts: { session: 1, login_token: 1 },
      total: 2,
      total_exact: true,
    })
    expect(JSON.stringify(items)).not.toContain(token.token)
    await visitor.client.auth.logout()
    await admin.client.loginTokens.revoke({ params: { uuid: token.uuid } })
    expect((await board(admin, { query: { user_id: String(people.carla) } })).items).toEqual([])
  })

  test('says of a session that a login token began who had made the token', async () => {
    const { token } = await mint(people.carla, 'new phone')
    const visitor = await buildSignedIn(server, 'bert', PASSWORD)
    dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token: token } }))
    const { items } = await board(admin, { query: { kind: 'session', made_by: '1' } })
    expect(items).toMatchObject([
      { user: { username: 'carla' }, made_by: { user_id: 1 }, reason: 'new phone', amr: ['link'] },
    ])
    await visitor.client.auth.logout()
  })

  test('shows a manager those whom he manages, and neither superusers nor strangers nor the startup token', async () => {
    server.mintStartupToken()
    const sessions = [await buildSignedIn(server, 'bert', PASSWORD), await buildSignedIn(server, 'root', PASSWORD)]
    const seen = await board(manager)
    expect(seen.items.map(({ kind, user }) => [kind, user.username])).toEqual([['session', 'bert']])
    expect(seen.counts).toMatchObject({ session: 1, startup_token: 0 })
    const all = await board(admin)
    expect(all.items[0]).toMatchObject({ kind: 'startup_token', user: { user_id: 1 }, expires_at: null })
    const beyond = all.items.map(({ kind, id }) => ({ kind, id }))
    expect(dataOf(await manager.client.access.revoke({ body: { items: beyond } }))).toEqual({ revoked: 1, more: false })
    expect((await board(admin)).items.map(({ user, kind }) => [kind, user.username])).toEqual([
      ['startup_token', 'ann'],
      ...all.items.slice(1).flatMap(({ kind, user }) => (user.username === 'bert' ? [] : [[kind, user.username]])),
    ])
    for (const one of sessions) await one.client.auth.logout()
  })
})

test('a page of one row holds the startup token, and the next ones the rest', async () => {
  server.mintStartupToken()
  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page = await board(admin, { query: { limit: '1', ...(cursor === undefined ? {} : { cursor }) } })
    expect(page.items.length).toBeLessThanOrEqual(1)
    seen.push(...page.items.map(({ kind, id }) => `${kind} ${id}`))
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  const whole = await board(admin)
  expect(seen).toEqual(whole.items.map(({ kind, id }) => `${kind} ${id}`))
  expect(seen[0]).toBe('startup_token startup')
  expect(seen.length).toBeGreaterThan(1)
})

test.each([
  ['[1,"temporary_password","abc"]', 'no number'],
  ['[1,"session","a\u0000b"]', 'no text that a database can keep'],
  ['[1,"password","1"]', 'no kind'],
  ['{}', 'no list'],
])('a cursor that nobody was given (%s: %s) begins at the first page', async (fields) => {
  const cursor = Buffer.from(fields).toString('base64url')
  expect((await board(admin, { query: { cursor } })).items).toEqual((await board(admin)).items)
})

describe('revoking', () => {
  test('the startup token makes it worthless', async () => {
    const temporary_token = server.mintStartupToken()
    const items = [{ kind: 'startup_token', id: 'startup' }] as const
    expect(dataOf(await admin.client.access.revoke({ body: { items: [...items] } })).revoked).toBe(1)
    expect(dataOf(await admin.client.access.revoke({ body: { items: [...items] } })).revoked).toBe(0)
    const tried = await admin.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } })
    expect(codeOf(tried)).toBe('TEMPORARY_TOKEN_INVALID')
  })

  test('a temporary password ends it at once, also for a session that it began', async () => {
    dataOf(await reset(people.bert))
    const gated = await buildSignedIn(server, 'bert', 'temporary one')
    const [item] = (await board(admin, { query: { kind: 'temporary_password' } })).items
    expect(item).toMatchObject({ user: { username: 'bert' }, made_by: { user_id: 1 }, id: String(people.bert) })
    const items = [{ kind: 'temporary_password', id: String(people.bert) }] as const
    expect(dataOf(await manager.client.access.revoke({ body: { items: [...items] } })).revoked).toBe(1)
    const change = await gated.client.users.editMe({ body: { password: 'my own long words' } })
    expect(codeOf(change)).toBe('TEMP_PASSWORD_EXPIRED')
    const login = await gated.client.auth.login({ body: { username: 'bert', password: 'temporary one' } })
    expect(codeOf(login)).toBe('TEMP_PASSWORD_EXPIRED')
    expect((await board(admin, { query: { kind: 'temporary_password' } })).items).toEqual([])
  })

  test('all of a filter leaves what it does not select, what was made later, and the session that asks', async () => {
    const old = [await buildSignedIn(server, 'carla', PASSWORD), await buildSignedIn(server, 'root', PASSWORD)]
    server.clock.advance(2 * HOUR)
    const fresh = await buildSignedIn(server, 'carla', PASSWORD)
    const filter = { kind: 'session', unused_since: new Date(server.clock() - HOUR).toISOString() } as const
    const made_before = new Date(server.clock() + 1).toISOString()
    const done = dataOf(await admin.client.access.revoke({ body: { filter, made_before } }))
    expect(done.more).toBe(false)
    expect(done.revoked).toBeGreaterThanOrEqual(2)
    for (const one of old) expect(codeOf(await one.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await fresh.client.auth.me())).toBe('ok')
    server.clock.advance(HOUR)
    const seen = new Date(server.clock() - HOUR).toISOString()
    dataOf(await admin.client.access.revoke({ body: { filter: {}, made_before: seen } }))
    expect(codeOf(await fresh.client.auth.me())).toBe('ok')
    dataOf(await admin.client.access.revoke({ body: { filter: {}, made_before } }))
    expect(codeOf(await fresh.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
  })

  test('goes on as long as there is more, 200 at a time', async () => {
    for (let made = 0; made < 250; made++) {
      const device = { device_id: `device-${made}`, user_id: people.carla, secret_hash: `hash-${made}`, ip: '::1' }
      const times = { created_at: server.clock(), last_used_at: server.clock(), expires_at: server.clock() + HOUR }
      await server.storage.trustedDevices.create({ ...device, ...times, user_agent: 'test' })
    }
    const body = {
      filter: { kind: 'trusted_device' },
      made_before: new Date(server.clock() + 1).toISOString(),
    } as const
    expect(dataOf(await admin.client.access.revoke({ body }))).toEqual({ revoked: 200, more: true })
    expect(dataOf(await admin.client.access.revoke({ body }))).toEqual({ revoked: 50, more: false })
    expect(dataOf(await admin.client.access.revoke({ body }))).toEqual({ revoked: 0, more: false })
  })

  test.each([
    {},
    { items: [] },
    { items: [{ kind: 'session' }] },
    { items: [{ kind: 'password', id: '1' }] },
    { items: [{ kind: 'session', id: '\0' }] },
    { filter: {} },
    { filter: { user_id: '1' }, made_before: '2026-11-22T12:00:00Z' },
    { filter: {}, made_before: 'now' },
    { items: [{ kind: 'session', id: 'x' }], filter: {}, made_before: '2026-11-22T12:00:00Z' },
  ])('refuses %j', async (body) => {
    const answer = await admin.http.post('/api/access/revoke', body)
    expect(answer.data.error).toBe('INVALID_JSON_SCHEMA')
  })
})
