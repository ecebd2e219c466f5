import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

const PASSWORD = 'wooden quiet lamp'
const NAMES = ['user-1', 'user-2', 'user-3', 'user-4', 'user-5', 'user-6']
const ids = new Map<string, string>()

let server: TestServer
let admin: Visitor
beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  for (const username of NAMES) ids.set(username, String(await createUser(admin, { username, password: PASSWORD })))
})
afterAll(() => server.end())

const add = (visitor: Visitor, username: string) =>
  visitor.client.auth.login({ body: { username, password: PASSWORD, add_account: true } })
const cookieOf = (visitor: Visitor) => `latchkey_session=${visitor.cookies.get('latchkey_session')}`
const meWith = (cookie: string) => buildVisitor(server.url, { Cookie: cookie }).client.auth.me()
const idOf = (username: string) => ids.get(username) ?? ''

/** A browser in which these accounts are signed in together, the last one current. */
async function buildGroup(...names: string[]): Promise<Visitor> {
  const [first = '', ...rest] = names
  const visitor = await buildSignedIn(server, first, PASSWORD)
  for (const name of rest) dataOf(await add(visitor, name))
  return visitor
}

const linked = async (visitor: Visitor) =>
  dataOf(await visitor.client.auth.me()).linked_accounts.map(({ username, current }) =>
    current ? `*${username}` : username,
  )

describe('accounts in one browser', () => {
  test('are no group until a second one joins, and then all of them', async () => {
    const visitor = await buildGroup('user-1')
    expect(await linked(visitor)).toEqual([])
    await add(visitor, 'user-2')
    expect(await linked(visitor)).toEqual(['user-1', '*user-2'])
  })

  test('are five at most: the sixth is refused, leaves no session and the five as they were', async () => {
    const visitor = await buildGroup(...NAMES.slice(0, 5))
    expect(codeOf(await add(visitor, 'user-6'))).toBe('TOO_MANY_ACCOUNTS')
    expect(await linked(visitor)).toHaveLength(5)
    expect(await server.storage.sessions.listLive(Number(idOf('user-6')), server.clock(), 0)).toEqual([])
    expect(codeOf(await add(visitor, 'user-3'))).toBe('ok')
    expect(await linked(visitor)).toEqual(['user-1', 'user-2', 'user-4', 'user-5', '*user-3'])
  })

  test('hold each account once, even when it joins itself', async () => {
    const alone = await buildGroup('user-1')
    const before = cookieOf(alone)
    await add(alone, 'user-1')
    expect(await linked(alone)).toEqual([])
    expect(codeOf(await meWith(before))).toBe('SESSION_EXPIRED')
    const pair = await buildGroup('user-1', 'user-2')
    await add(pair, 'user-2')
    expect(await linked(pair)).toEqual(['user-1', '*user-2'])
  })

  test('are left by an ordinary sign-in, whose session belongs to no group', async () => {
    const visitor = await buildGroup('user-1', 'user-2')
    await visitor.client.auth.login({ body: { username: 'user-3', password: PASSWORD } })
    expect(await linked(visitor)).toEqual([])
  })

  test('ask for nobody to be signed in: add_account of nobody is a plain sign-in', async () => {
    const visitor = buildVisitor(server.url)
    expect(codeOf(await add(visitor, 'user-1'))).toBe('ok')
    expect(await linked(visitor)).toEqual([])
  })
})

describe('signing out to another account', () => {
  test('hands over by user id, ends the one session and gives the other a new secret', async () => {
    const visitor = await buildSignedIn(server, 'user-1', PASSWORD)
    const firstCookie = cookieOf(visitor)
    await add(visitor, 'user-2')
    const secondCookie = cookieOf(visitor)
    const outcome = await visitor.client.auth.logout({ query: { switch_to: idOf('user-1') } })
    const switched_to = { user_id: Number(idOf('user-1')), username: 'user-1', did: null, handle: null }
    expect(dataOf(outcome)).toEqual({ switched_to })
    expect(await linked(visitor)).toEqual(['*user-1'])
    expect(codeOf(await meWith(firstCookie))).toBe('UNAUTHENTICATED')
    expect(codeOf(await meWith(secondCookie))).toBe('SESSION_EXPIRED')
  })

  test.each([
    ['oneself', () => idOf('user-2')],
    ['a stranger to the group', () => idOf('user-3')],
    ['nobody', () => '999999'],
    ['null', () => 'null'],
    ['a name', () => 'user-1'],
    ['a number written otherwise', () => `0${idOf('user-1')}`],
  ])('is refused for %s, and nothing ends', async (_who, target) => {
    const visitor = await buildGroup('user-1', 'user-2')
    expect(codeOf(await visitor.client.auth.logout({ query: { switch_to: target() } }))).toBe('SWITCH_TARGET_INVALID')
    expect(await linked(visitor)).toEqual(['user-1', '*user-2'])
  })

  test('is refused to nobody, and without a group', async () => {
    const query = { switch_to: idOf('user-1') }
    expect(codeOf(await buildVisitor(server.url).client.auth.logout({ query }))).toBe('SWITCH_TARGET_INVALID')
    expect(codeOf(await (await buildGroup('user-2')).client.auth.logout({ query }))).toBe('SWITCH_TARGET_INVALID')
  })

  test('never reaches the same account in another browser', async () => {
    const elsewhere = await buildGroup('user-1', 'user-3')
    const here = await buildGroup('user-2', 'user-4')
    expect(codeOf(await here.client.auth.logout({ query: { switch_to: idOf('user-1') } }))).toBe(
      'SWITCH_TARGET_INVALID',
    )
    expect(await linked(elsewhere)).toEqual(['user-1', '*user-3'])
  })

  test('does not hand over to an account that was disabled or signed out meanwhile', async () => {
    const visitor = await buildGroup('user-6', 'user-2')
    await server.storage.sessions.revokeAll(Number(idOf('user-6')), server.clock())
    expect(codeOf(await visitor.client.auth.logout({ query: { switch_to: idOf('user-6') } }))).toBe(
      'SWITCH_TARGET_INVALID',
    )
    const again = await buildGroup('user-6', 'user-2')
    await admin.client.users.edit({ params: { id: idOf('user-6') }, body: { enabled: false } })
    expect(await linked(again)).toEqual(['*user-2'])
    expect(codeOf(await again.client.auth.logout({ query: { switch_to: idOf('user-6') } }))).toBe(
      'SWITCH_TARGET_INVALID',
    )
  })

  test('asked for twice at once hands over once', async () => {
    const visitor = await buildGroup('user-1', 'user-2')
    const twin = buildVisitor(server.url, { Cookie: cookieOf(visitor) })
    const query = { switch_to: idOf('user-1') }
    const codes = await Promise.all([visitor.client.auth.logout({ query }), twin.client.auth.logout({ query })])
    expect(codes.filter(({ ok }) => ok).length).toBeGreaterThanOrEqual(1)
    const working = await Promise.all([cookieOf(visitor), cookieOf(twin)].map(meWith))
    expect(working.filter(({ ok }) => ok)).toHaveLength(1)
  })
})
