import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let root: Visitor
let chief: Visitor
let clerk: Visitor
let id: Record<'chief' | 'clerk' | 'managed' | 'free' | 'boss', number>

beforeAll(async () => {
  server = await startTestServer()
  root = await buildSuperuser(server)
  const make = (username: string, fields: object = {}) => createUser(root, { username, password: PASSWORD, ...fields })
  const chiefId = await make('chief', { permissions: ['USER_CONFIG', 'AUDIT_LOG'] })
  id = {
    chief: chiefId,
    clerk: await make('clerk'),
    managed: await make('managed', { manager_id: chiefId }),
    free: await make('free'),
    boss: await make('boss', { superuser: true, manager_id: chiefId }),
  }
  chief = await buildSignedIn(server, 'chief', PASSWORD)
  clerk = await buildSignedIn(server, 'clerk', PASSWORD)
})
afterAll(() => server.end())

const edit = (by: Visitor, user: number, body: object) =>
  by.client.users.edit({ params: { id: String(user) }, body }).then(codeOf)
const read = (by: Visitor, user: number | string) => by.client.users.read({ params: { id: String(user) } }).then(codeOf)
const create = (by: Visitor, body: object) => by.client.users.create({ body: { username: 'made', ...body } })

describe('who may look', () => {
  test('a superuser at everybody, a manager at whom he manages, anybody at oneself, nobody at nothing', async () => {
    const targets = [id.managed, id.free, id.boss, 1, 9999]
    const seenBy = (visitor: Visitor) => Promise.all(targets.map((target) => read(visitor, target)))
    expect(await seenBy(root)).toEqual(['ok', 'ok', 'ok', 'ok', 'USER_NOT_FOUND'])
    expect(await seenBy(chief)).toEqual(['ok', 'ACCESS_DENIED', 'ACCESS_DENIED', 'ACCESS_DENIED', 'USER_NOT_FOUND'])
    expect(await seenBy(clerk)).toEqual(Array(5).fill('ACCESS_DENIED'))
    expect([await read(clerk, id.clerk), await read(chief, id.chief)]).toEqual(['ok', 'ok'])
  })

  test('the list holds those of a manager only, and is closed to others', async () => {
    const names = async (visitor: Visitor) =>
      dataOf(await visitor.client.users.list()).items.map(({ username }) => username)
    expect(await names(root)).toEqual(['ann', 'boss', 'chief', 'clerk', 'free', 'managed'])
    expect(await names(chief)).toEqual(['boss', 'managed'])
    expect(codeOf(await clerk.client.users.list())).toBe('ACCESS_DENIED')
  })
})

describe('who may change', () => {
  test('a manager only whom he manages, never a superuser, even one he manages', async () => {
    const body = { display_name: 'Changed' }
    expect(await edit(chief, id.managed, body)).toBe('ok')
    for (const target of [id.free, id.boss, 1, id.clerk]) expect(await edit(chief, target, body)).toBe('ACCESS_DENIED')
    expect(await edit(chief, 9999, body)).toBe('USER_NOT_FOUND')
    expect(await edit(clerk, id.managed, body)).toBe('ACCESS_DENIED')
    expect(await edit(clerk, 9999, body)).toBe('ACCESS_DENIED')
    expect(await edit(root, id.boss, body)).toBe('ok')
  })

  test.each([
    { superuser: true },
    { permissions: ['SETTINGS'] },
    { permissions: ['AUDIT_LOG', 'LOGIN_TOKENS'] },
    { manager_id: null },
    { manager_id: 1 },
  ])('a manager may not hand out or take %j', async (body) => {
    expect(await edit(chief, id.managed, body)).toBe('INVALID_FIELD_MODIFY')
    expect(codeOf(await create(chief, body))).toBe('INVALID_FIELD_MODIFY')
  })

  test.each([{ superuser: true }, { permissions: ['USER_CONFIG'] }, { enabled: false }, { manager_id: 3 }])(
    'nobody may raise himself: %j',
    async (body) => {
      expect(await edit(clerk, id.clerk, body)).toBe('INVALID_FIELD_MODIFY')
      expect(await edit(chief, id.chief, body)).toBe('INVALID_FIELD_MODIFY')
      expect(codeOf(await clerk.client.users.editMe({ body }))).toBe('INVALID_FIELD_MODIFY')
    },
  )

  test('own name and address are changed at @me, with the password', async () => {
    expect(await edit(clerk, id.clerk, { username: 'clerk2' })).toBe('INVALID_FIELD_MODIFY')
    expect(await edit(root, 1, { email: 'new@example.org' })).toBe('INVALID_FIELD_MODIFY')
    expect(codeOf(await clerk.client.users.editMe({ body: { email: 'c@example.org' } }))).toBe('CURRENT_PASSWORD_WRONG')
    const body = { email: 'C@Example.org', current_password: PASSWORD }
    expect(dataOf(await clerk.client.users.editMe({ body })).email).toBe('c@example.org')
    expect(codeOf(await clerk.client.users.editMe({ body: { display_name: 'Clerk', lang: 'de' } }))).toBe('ok')
  })

  test('what a manager makes is his: manager and permissions no larger than his own', async () => {
    const user_id = dataOf(
      await create(chief, { username: 'made-by-chief', permissions: ['AUDIT_LOG', 'AUDIT_LOG'] }),
    ).user_id
    expect(dataOf(await root.client.users.read({ params: { id: String(user_id) } }))).toMatchObject({
      manager_id: id.chief,
      permissions: ['AUDIT_LOG'],
      superuser: false,
      has_password: false,
    })
  })

  test('only a superuser makes superusers and sets managers, and those must exist', async () => {
    expect(codeOf(await create(root, { username: 'root2', superuser: true, manager_id: id.chief }))).toBe('ok')
    expect(codeOf(await create(root, { username: 'root3', manager_id: 9999 }))).toBe('MANAGER_INVALID')
    expect(await edit(root, id.free, { manager_id: id.free })).toBe('MANAGER_INVALID')
    expect(await edit(root, id.free, { manager_id: 9999 })).toBe('MANAGER_INVALID')
    expect(codeOf(await create(clerk, { username: 'by-clerk' }))).toBe('ACCESS_DENIED')
  })

  test('losing the permission counts at the next request', async () => {
    await createUser(root, { username: 'short', password: PASSWORD, permissions: ['USER_CONFIG'] })
    const short = await buildSignedIn(server, 'short', PASSWORD)
    expect(codeOf(await short.client.users.list())).toBe('ok')
    const me = dataOf(await short.client.auth.me())
    expect(await edit(root, me.user_id, { permissions: [] })).toBe('ok')
    expect(codeOf(await short.client.users.list())).toBe('ACCESS_DENIED')
  })
})

describe('names and addresses', () => {
  test('are taken once, in any case, by anybody', async () => {
    await createUser(root, { username: 'taken', email: 'taken@example.org' })
    expect(codeOf(await create(root, { username: ' TAKEN ' }))).toBe('USERNAME_TAKEN')
    expect(codeOf(await create(root, { username: 'free-name', email: 'TAKEN@example.org' }))).toBe('EMAIL_TAKEN')
    expect(await edit(root, id.free, { username: 'Taken' })).toBe('USERNAME_TAKEN')
    expect(await edit(root, id.free, { email: 'taken@example.org' })).toBe('EMAIL_TAKEN')
    const body = { username: 'taken', current_password: PASSWORD }
    expect(codeOf(await clerk.client.users.editMe({ body }))).toBe('USERNAME_TAKEN')
    expect(codeOf(await clerk.client.auth.editAccount({ body: { password: PASSWORD, new_username: 'taken' } }))).toBe(
      'USERNAME_TAKEN',
    )
  })

  test('wanted by twenty at once go to one', async () => {
    const codes = await Promise.all(Array.from({ length: 20 }, () => create(root, { username: 'wanted' }).then(codeOf)))
    expect(codes.sort()).toEqual([...Array(19).fill('USERNAME_TAKEN'), 'ok'])
  })

  test.each(['ab', 'a'.repeat(33), 'a b', 'имя', 'a/b', '@me', 'a\nb', 'aﬀb', '', 'admin\u202e'])(
    '%j is no user name',
    async (username) => {
      expect(codeOf(await create(root, { username }))).toBe('INVALID_JSON_SCHEMA')
    },
  )

  test('stay free when an account is renamed away from them', async () => {
    const renamed = await createUser(root, { username: 'before' })
    expect(await edit(root, renamed, { username: 'after' })).toBe('ok')
    await createUser(root, { username: 'before' })
  })
})

describe('disabling', () => {
  test('ends the sessions at once and for good, and voids what waits', async () => {
    const user = await createUser(root, { username: 'leaver', password: PASSWORD })
    const leaver = await buildSignedIn(server, 'leaver', PASSWORD)
    expect(await edit(root, user, { enabled: false })).toBe('ok')
    expect(codeOf(await leaver.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(await edit(root, user, { enabled: true })).toBe('ok')
    expect(codeOf(await leaver.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('overtaking a sign-in wins', async () => {
    const user = await createUser(root, { username: 'racer', password: PASSWORD })
    const { create: begin } = server.storage.sessions
    server.storage.sessions.create = async (session, proved) => {
      server.storage.sessions.create = begin
      await server.storage.users.edit(user, { enabled: false }, server.clock())
      return begin(session, proved)
    }
    await expect(buildSignedIn(server, 'racer', PASSWORD)).rejects.toThrow('INCORRECT_CREDENTIALS')
  })
})

test('the last superuser stays, however many are demoted at once', async () => {
  const own = await startTestServer()
  const ann = await buildSuperuser(own)
  const only = { params: { id: '1' } }
  expect(codeOf(await ann.client.users.edit({ ...only, body: { superuser: false } }))).toBe('LAST_SUPERUSER')
  expect(codeOf(await ann.client.users.edit({ ...only, body: { enabled: false } }))).toBe('LAST_SUPERUSER')
  await createUser(ann, { username: 'sleeper', superuser: true, enabled: false })
  expect(codeOf(await ann.client.users.edit({ ...only, body: { enabled: false } }))).toBe('LAST_SUPERUSER')
  const bob = await createUser(ann, { username: 'bob', password: PASSWORD, superuser: true })
  const bobs = await buildSignedIn(own, 'bob', PASSWORD)
  const outcomes = await Promise.all([
    ann.client.users.edit({ params: { id: String(bob) }, body: { superuser: false } }),
    bobs.client.users.edit({ ...only, body: { enabled: false } }),
  ])
  expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
  expect(await own.storage.users.superusers(5)).toHaveLength(1)
  await own.end()
})

test('no answer to any call about users holds a hash, a secret or a sealed one', async () => {
  const answers = await Promise.all([
    root.http.get('/api/v2/users?limit=200'),
    root.http.get('/api/v2/users/@me'),
    root.http.get(`/api/v2/users/${id.boss}`),
    root.http.patch(`/api/v2/users/${id.boss}`, { display_name: 'B' }),
    root.http.patch('/api/v2/users/@me', { display_name: 'A' }),
    root.http.post('/api/auth/login', ADMIN),
  ])
  for (const { status, data } of answers) {
    expect(status).toBe(200)
    expect(JSON.stringify(data)).not.toMatch(/argon2|password_hash|secret|\$v=19/)
  }
})
