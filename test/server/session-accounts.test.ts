import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { buildSignedIn, buildVisitor, codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'
import {
  addAccount,
  type AtprotoWorld,
  cookieOf,
  endOf,
  exchangeTokenOf,
  givenBack,
  goOn,
  lastAsked,
  linkedIn,
  linkedUser,
  signInAs,
  startAt,
  startWorld,
  TRUSTING,
  visitsOf,
} from './atproto.ts'

const PASSWORD = 'wooden quiet lamp'
const NAMES = ['one', 'two', 'three', 'four', 'five', 'six', 'local']
const users = new Map<string, { user_id: number; did: string }>()

let world: AtprotoWorld
let visit: () => Visitor
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  visit = visitsOf(world.server)
  for (const name of NAMES) users.set(name, await linkedUser(world, `${name}.test`, { password: PASSWORD }))
})
beforeEach(() => world.provider.behave({}))
afterEach(() => world.admin.client.settings.change({ body: { atproto_sign_up: 'linked' } }))
afterAll(() => world.end())

const idOf = (name: string) => users.get(name)?.user_id ?? 0
const didOf = (name: string) => users.get(name)?.did ?? ''
const meWith = (Cookie: string) => buildVisitor(world.server.url, { Cookie }).client.auth.me()
const startAdding = (visitor: Visitor, handle: string) =>
  visitor.client.auth.startAddAccount({ body: { handle: `${handle}.test` } })
const exchange = (visitor: Visitor, exchange_token: string) =>
  visitor.client.auth.exchange({ body: { exchange_token } })

/** A browser in which these ATProto accounts are signed in, the last one current. */
async function buildGroup(...names: string[]): Promise<Visitor> {
  const [first = '', ...rest] = names
  const { visitor } = await signInAs(world, `${first}.test`, visit())
  for (const name of rest) await addAccount(world, visitor, `${name}.test`)
  return visitor
}

describe('adding an account', () => {
  test('makes a group of the two, asked of the provider with its password', async () => {
    const { visitor } = await signInAs(world, 'one.test', visit())
    const before = cookieOf(visitor)
    expect(dataOf(await visitor.client.auth.me()).linked_accounts).toEqual([])
    expect(await addAccount(world, visitor, 'two.test')).toMatchObject({ user_id: idOf('two'), username: 'two' })
    expect(lastAsked(world)).toMatchObject({ prompt: 'login', login_hint: 'two.test' })
    expect(await linkedIn(visitor)).toEqual(['one', '*two'])
    const [one] = dataOf(await visitor.client.auth.me()).linked_accounts
    expect(one).toMatchObject({ user_id: idOf('one'), did: didOf('one'), handle: 'one.test', needs_sign_in: false })
    expect(dataOf(await meWith(before)).linked_accounts.map(({ current }) => current)).toEqual([true, false])
  })

  test('is refused when another account answers than the one asked for, and its grant is given back', async () => {
    const visitor = await buildGroup('one')
    const { auth_url } = dataOf(await startAdding(visitor, 'two'))
    world.provider.behave({ otherAccount: didOf('three') })
    expect(await endOf(visitor, await world.provider.follow(auth_url))).toBe('FLOW_USER_MISMATCH')
    expect(world.provider.grants.at(-1)).toMatchObject({ did: didOf('three'), revoked: true })
    expect(await linkedIn(visitor)).toEqual([])
  })

  test('is refused for one that is in the browser already, when it begins and when it comes back', async () => {
    const visitor = await buildGroup('one')
    expect(codeOf(await startAdding(visitor, 'one'))).toBe('ACCOUNT_ALREADY_LINKED')
    const { auth_url } = dataOf(await startAdding(visitor, 'two'))
    await addAccount(world, visitor, 'two.test')
    expect(codeOf(await startAdding(visitor, 'one'))).toBe('ACCOUNT_ALREADY_LINKED')
    expect(await endOf(visitor, await world.provider.follow(auth_url))).toBe('ACCOUNT_ALREADY_LINKED')
    expect(await linkedIn(visitor)).toEqual(['one', '*two'])
  })

  test('is refused for an account that nobody linked, unless sign-up is open', async () => {
    world.provider.addAccount({ handle: 'stranger.test' })
    const visitor = await buildGroup('one')
    expect(codeOf(await startAdding(visitor, 'stranger'))).toBe('ACCOUNT_NOT_LINKED')
    dataOf(await world.admin.client.settings.change({ body: { atproto_sign_up: 'open' } }))
    await addAccount(world, visitor, 'stranger.test')
    expect(await linkedIn(visitor)).toEqual(['one', '*stranger'])
  })

  test('stops at five: at the start, and where the fifth came meanwhile', async () => {
    const visitor = await buildGroup('one', 'two', 'three', 'four')
    const { auth_url } = dataOf(await startAdding(visitor, 'six'))
    dataOf(await visitor.client.auth.login({ body: { username: 'five', password: PASSWORD, add_account: true } }))
    expect(codeOf(await startAdding(visitor, 'six'))).toBe('TOO_MANY_ACCOUNTS')
    dataOf(await visitor.client.auth.switchAccount({ body: { target_user_id: idOf('four') } }))
    expect(codeOf(await exchange(visitor, await goOn(world, visitor, auth_url)))).toBe('TOO_MANY_ACCOUNTS')
    expect(await linkedIn(visitor)).toEqual(['one', 'two', 'three', '*four', 'five'])
  })

  test('ends in the session that began it or not at all: not in another one, nor in none', async () => {
    const begin = async () => {
      const visitor = await buildGroup('one', 'three')
      const { auth_url } = dataOf(await startAdding(visitor, 'two'))
      return { visitor, exchange_token: await goOn(world, visitor, auth_url) }
    }
    const switched = await begin()
    dataOf(await switched.visitor.client.auth.switchAccount({ body: { target_user_id: idOf('one') } }))
    expect(codeOf(await exchange(switched.visitor, switched.exchange_token))).toBe('EXCHANGE_TOKEN_INVALID')
    const replaced = await begin()
    dataOf(await replaced.visitor.client.auth.login({ body: { username: 'local', password: PASSWORD } }))
    expect(codeOf(await exchange(replaced.visitor, replaced.exchange_token))).toBe('EXCHANGE_TOKEN_INVALID')
    const out = await begin()
    dataOf(await out.visitor.client.auth.logout())
    expect(codeOf(await exchange(out.visitor, out.exchange_token))).toBe('EXCHANGE_TOKEN_INVALID')
  })

  test('by password joins a local account to an ATProto one, and the other way round', async () => {
    const visitor = await buildGroup('one')
    dataOf(await visitor.client.auth.login({ body: { username: 'local', password: PASSWORD, add_account: true } }))
    expect(await linkedIn(visitor)).toEqual(['one', '*local'])
    const other = await buildSignedIn(world.server, 'local', PASSWORD)
    await addAccount(world, other, 'two.test')
    expect(await linkedIn(other)).toEqual(['local', '*two'])
  })

  test('is not what a plain ATProto sign-in does: it leaves the group and ends what was current', async () => {
    const visitor = await buildGroup('one', 'two')
    const before = cookieOf(visitor)
    await signInAs(world, 'three.test', visitor)
    expect(await linkedIn(visitor)).toEqual([])
    expect(codeOf(await meWith(before))).toBe('SESSION_EXPIRED')
  })
})

describe('switching accounts', () => {
  test.each([
    ['DID', () => ({ target_did: didOf('one') })],
    ['user id', () => ({ target_user_id: idOf('one') })],
  ])('by %s gives the other session a new secret, and this one lives on', async (_by, body) => {
    const { visitor } = await signInAs(world, 'one.test', visit())
    const firstCookie = cookieOf(visitor)
    await addAccount(world, visitor, 'two.test')
    const secondCookie = cookieOf(visitor)
    const account = { user_id: idOf('one'), username: 'one', did: didOf('one'), handle: 'one.test' }
    expect(dataOf(await visitor.client.auth.switchAccount({ body: body() }))).toEqual(account)
    expect(await linkedIn(visitor)).toEqual(['*one', 'two'])
    expect(codeOf(await meWith(firstCookie))).toBe('UNAUTHENTICATED')
    expect(codeOf(await meWith(secondCookie))).toBe('ok')
  })

  test('is refused to oneself, to strangers of the group, and by a name that is none', async () => {
    const visitor = await buildGroup('one', 'two')
    await buildGroup('three', 'four')
    const targets = [
      { target_did: didOf('two') },
      { target_user_id: idOf('two') },
      { target_did: didOf('three') },
      { target_user_id: idOf('three') },
      { target_did: 'one' },
      { target_did: String(idOf('one')) },
    ]
    for (const body of targets)
      expect([body, codeOf(await visitor.client.auth.switchAccount({ body }))]).toEqual([body, 'SWITCH_TARGET_INVALID'])
    for (const body of [{}, { target_did: didOf('one'), target_user_id: idOf('one') }])
      expect(codeOf(await visitor.client.auth.switchAccount({ body }))).toBe('INVALID_JSON_SCHEMA')
    expect(await linkedIn(visitor)).toEqual(['one', '*two'])
  })

  test('does not reach a member who was disabled', async () => {
    const visitor = await buildGroup('five', 'two')
    const enable = (enabled: boolean) =>
      world.admin.client.users.edit({ params: { id: String(idOf('five')) }, body: { enabled } })
    dataOf(await enable(false))
    const body = { target_user_id: idOf('five') }
    expect(codeOf(await visitor.client.auth.switchAccount({ body }))).toBe('SWITCH_TARGET_INVALID')
    dataOf(await enable(true))
    expect(codeOf(await visitor.client.auth.switchAccount({ body }))).toBe('SWITCH_TARGET_INVALID')
  })

  test('at sign-out takes a DID, and gives the grant of the session that ended back', async () => {
    const { did } = await linkedUser(world, 'leaver.test')
    const visitor = await buildGroup('one', 'leaver')
    const { switched_to } = dataOf(await visitor.client.auth.logout({ query: { switch_to: didOf('one') } }))
    expect(switched_to).toEqual({ user_id: idOf('one'), username: 'one', did: didOf('one'), handle: 'one.test' })
    expect(await linkedIn(visitor)).toEqual(['*one'])
    await givenBack(world, did, 1)
  })
})

describe('signing out of all accounts', () => {
  test('ends those of this browser, no other’s, and gives their grants back', async () => {
    const { did } = await linkedUser(world, 'all.test')
    const elsewhere = await buildGroup('all', 'three')
    const visitor = await buildGroup('one', 'all')
    const cookies = [cookieOf(visitor)]
    dataOf(await visitor.client.auth.switchAccount({ body: { target_user_id: idOf('one') } }))
    cookies.push(cookieOf(visitor))
    expect(dataOf(await visitor.client.auth.logoutAll())).toEqual({ ended: 2 })
    expect(visitor.cookies.has('latchkey_session')).toBe(false)
    for (const cookie of cookies) expect(codeOf(await meWith(cookie))).toBe('SESSION_EXPIRED')
    expect(await linkedIn(elsewhere)).toEqual(['all', '*three'])
    await givenBack(world, did, 1)
  })

  test('of one that is in no group ends that one', async () => {
    const visitor = await buildGroup('one')
    const exchange_token = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle: 'two.test' }))
    expect(dataOf(await visitor.client.auth.logoutAll())).toEqual({ ended: 1 })
    // A plain sign-in under way is nobody's session yet.
    expect(codeOf(await exchange(visitor, exchange_token))).toBe('ok')
  })
})
