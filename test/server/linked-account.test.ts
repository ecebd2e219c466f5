import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN, buildSignedIn, buildVisitor, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import {
  type AtprotoWorld,
  cookieOf,
  endOf,
  givenBack,
  goOn,
  lastAsked,
  linkedUser,
  signInAs,
  startAt,
  startWorld,
  TRUSTING,
  visitsOf,
} from './atproto.ts'

const PASSWORD = 'wooden quiet lamp'

let world: AtprotoWorld
let visit: () => Visitor
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  visit = visitsOf(world.server)
})
beforeEach(() => world.provider.behave({}))
afterAll(() => world.end())

const meWith = (Cookie: string) => buildVisitor(world.server.url, { Cookie }).client.auth.me()
const startLinking = (visitor: Visitor, handle: string) => visitor.client.auth.startLinkAccount({ body: { handle } })

/** A local user, signed in with his password. */
async function buildLocal(username: string): Promise<{ visitor: Visitor; user_id: number }> {
  const user_id = await createUser(world.admin, { username, password: PASSWORD })
  return { visitor: await buildSignedIn(world.server, username, PASSWORD), user_id }
}

/** Links an account by the flow; answers the DID and what the exchange answered. */
async function link(visitor: Visitor, handle: string) {
  const { did } = world.provider.account(handle) ?? world.provider.addAccount({ handle })
  const { auth_url } = dataOf(await startLinking(visitor, handle))
  const exchange_token = await goOn(world, visitor, auth_url)
  return { did, exchanged: dataOf(await visitor.client.auth.exchange({ body: { exchange_token } })) }
}

describe('linking an ATProto account to the own account', () => {
  test('asks for its password, keeps the session, gives the grant back, and lets its owner in afterwards', async () => {
    const { visitor, user_id } = await buildLocal('lena')
    const before = cookieOf(visitor)
    const { did, exchanged } = await link(visitor, 'lena.test')
    expect(lastAsked(world)['prompt']).toBe('login')
    expect(exchanged).toMatchObject({ user_id, username: 'lena' })
    expect(cookieOf(visitor)).toBe(before)
    const me = dataOf(await visitor.client.auth.me())
    expect(me).toMatchObject({ did, handle: 'lena.test', auth_source: 'password', scopes: [], linked_accounts: [] })
    await givenBack(world, did, 1)
    expect((await signInAs(world, 'lena.test', visit())).user_id).toBe(user_id)
  })

  test('is refused for an account of somebody else, and for the own one', async () => {
    await linkedUser(world, 'taken.test')
    const { visitor } = await buildLocal('tom')
    expect(codeOf(await startLinking(visitor, 'taken.test'))).toBe('DID_TAKEN')
    await link(visitor, 'tom.test')
    expect(codeOf(await startLinking(visitor, 'tom.test'))).toBe('ACCOUNT_ALREADY_LINKED')
  })

  test('is refused where somebody else was given it meanwhile: at the callback, and at the exchange', async () => {
    const { visitor, user_id } = await buildLocal('slow')
    const give = async (username: string, did: string) => createUser(world.admin, { username, did })
    const first = world.provider.addAccount({ handle: 'first-come.test' })
    const { auth_url } = dataOf(await startLinking(visitor, 'first-come.test'))
    const location = await world.provider.follow(auth_url)
    await give('quick', first.did)
    expect(await endOf(visitor, location)).toBe('DID_TAKEN')
    const { did } = world.provider.addAccount({ handle: 'second-come.test' })
    const exchange_token = await goOn(world, visitor, dataOf(await startLinking(visitor, 'second-come.test')).auth_url)
    await give('quicker', did)
    expect(codeOf(await visitor.client.auth.exchange({ body: { exchange_token } }))).toBe('DID_TAKEN')
    expect((await world.server.storage.users.find(user_id))?.did).toBeNull()
  })

  test('is refused when another account answers than the one asked for', async () => {
    const { did } = world.provider.addAccount({ handle: 'other.test' })
    world.provider.addAccount({ handle: 'mia.test' })
    const { visitor } = await buildLocal('mia')
    const { auth_url } = dataOf(await startLinking(visitor, 'mia.test'))
    world.provider.behave({ otherAccount: did })
    expect(await endOf(visitor, await world.provider.follow(auth_url))).toBe('FLOW_USER_MISMATCH')
    expect(dataOf(await visitor.client.auth.me()).did).toBeNull()
  })

  test('ends in the session that began it or not at all', async () => {
    world.provider.addAccount({ handle: 'nora.test' })
    const { visitor } = await buildLocal('nora')
    const exchange_token = await goOn(world, visitor, dataOf(await startLinking(visitor, 'nora.test')).auth_url)
    // The session that began it lives on, but another one is current.
    dataOf(await visitor.client.auth.login({ body: { ...ADMIN, add_account: true } }))
    expect(codeOf(await visitor.client.auth.exchange({ body: { exchange_token } }))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(dataOf(await visitor.client.auth.me()).did).toBeNull()
  })

  test('takes the place of the account before, whose other sessions end', async () => {
    const { visitor } = await buildLocal('paul')
    await link(visitor, 'paul-old.test')
    const { visitor: elsewhere } = await signInAs(world, 'paul-old.test', visit())
    const { did } = await link(visitor, 'paul-new.test')
    expect(dataOf(await visitor.client.auth.me()).did).toBe(did)
    expect(codeOf(await elsewhere.client.auth.me())).toBe('SESSION_EXPIRED')
    const visitorBefore = visit()
    const location = await startAt(world, visitorBefore, { handle: 'paul-old.test' })
    expect(await endOf(visitorBefore, location)).toBe('ACCOUNT_NOT_LINKED')
  })
})

describe('an administrator who changes the account', () => {
  test.each([
    ['to another', 'moved', () => world.provider.addAccount({ handle: 'moved-to.test' }).did],
    ['to none', 'parted', () => null],
  ])(
    '%s ends the sessions and developer tokens that the one before began, and no other',
    async (_to, username, did) => {
      const { user_id } = await linkedUser(world, `${username}.test`, { password: PASSWORD })
      const local = await buildSignedIn(world.server, username, PASSWORD)
      const { visitor } = await signInAs(world, `${username}.test`, visit())
      const { auth_url } = dataOf(await visitor.client.auth.startDeveloperToken({ body: {} }))
      const exchange_token = await goOn(world, visitor, auth_url)
      const { session_id: token } = dataOf(await visitor.client.auth.exchange({ body: { exchange_token } }))
      const before = cookieOf(visitor)
      dataOf(await world.admin.client.users.edit({ params: { id: String(user_id) }, body: { did: did() } }))
      expect(codeOf(await meWith(before))).toBe('SESSION_EXPIRED')
      const program = buildVisitor(world.server.url, { Authorization: `Bearer ${token}` })
      expect(codeOf(await program.client.auth.me())).toBe('SESSION_EXPIRED')
      expect(codeOf(await local.client.auth.me())).toBe('ok')
    },
  )

  test('cannot give one account to two people, nor change his own', async () => {
    const { did } = await linkedUser(world, 'only.test')
    const id = String(await createUser(world.admin, { username: 'second' }))
    expect(codeOf(await world.admin.client.users.edit({ params: { id }, body: { did } }))).toBe('DID_TAKEN')
    expect(codeOf(await world.admin.client.users.edit({ params: { id: '1' }, body: { did: `${did}x` } }))).not.toBe(
      'ok',
    )
    const own = { params: { id: '1' }, body: { did: world.provider.addAccount({ handle: 'ann-own.test' }).did } }
    expect(codeOf(await world.admin.client.users.edit(own))).toBe('INVALID_FIELD_MODIFY')
  })
})

describe('taking the ATProto account off', () => {
  test('is refused to who would have no way in left, and to who has none', async () => {
    await linkedUser(world, 'bare.test')
    const { visitor } = await signInAs(world, 'bare.test', visit())
    expect(codeOf(await visitor.client.auth.unlinkAccount())).toBe('LAST_WAY_IN')
    const local = await buildLocal('plain')
    expect(codeOf(await local.visitor.client.auth.unlinkAccount())).toBe('GRANT_ABSENT')
  })

  test('ends the sessions that it began, all but this one, and gives their grants back', async () => {
    const { did } = await linkedUser(world, 'off.test', { password: PASSWORD })
    const { visitor } = await signInAs(world, 'off.test', visit())
    const { visitor: elsewhere } = await signInAs(world, 'off.test', visit())
    const local = await buildSignedIn(world.server, 'off', PASSWORD)
    dataOf(await visitor.client.auth.unlinkAccount())
    expect(dataOf(await visitor.client.auth.me())).toMatchObject({ did: null, handle: null })
    expect(codeOf(await elsewhere.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await local.client.auth.me())).toBe('ok')
    await givenBack(world, did, 1)
    const again = visit()
    expect(await endOf(again, await startAt(world, again, { handle: 'off.test' }))).toBe('ACCOUNT_NOT_LINKED')
  })
})

/** Last in this file: the clock moves on, and nobody is fresh any more. */
describe('a session that proved itself long ago', () => {
  test('neither links nor takes off, until it proves itself again', async () => {
    world.provider.addAccount({ handle: 'late.test' })
    const { visitor } = await buildLocal('late')
    world.server.clock.advance(15 * 60_000 + 1)
    expect(codeOf(await startLinking(visitor, 'late.test'))).toBe('REAUTH_REQUIRED')
    dataOf(await visitor.client.auth.reauth({ body: { password: PASSWORD } }))
    await link(visitor, 'late.test')
    world.server.clock.advance(15 * 60_000 + 1)
    expect(codeOf(await visitor.client.auth.unlinkAccount())).toBe('REAUTH_REQUIRED')
    dataOf(await visitor.client.auth.reauth({ body: { password: PASSWORD } }))
    expect(codeOf(await visitor.client.auth.unlinkAccount())).toBe('ok')
  })
})
