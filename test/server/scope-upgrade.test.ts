import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { authOf } from '../../api/endpoint.ts'
import { buildSignedIn, buildVisitor, codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'
import {
  addAccount,
  type AtprotoWorld,
  comeBack,
  cookieOf,
  endOf,
  givenBack,
  goOn,
  lastAsked,
  linkedIn,
  linkedUser,
  signInAs,
  startWorld,
  TRUSTING,
  visitsOf,
} from './atproto.ts'
import { entries, pathOf } from './entries.ts'
import { codeIn } from './raw.ts'

const PASSWORD = 'wooden quiet lamp'
const MORE = 'transition:generic'
const MOST = 'transition:email'

let world: AtprotoWorld
let visit: () => Visitor
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  visit = visitsOf(world.server)
})
beforeEach(() => world.provider.behave({}))
const require = async (...scopes: string[]) =>
  dataOf(await world.admin.client.settings.change({ body: { atproto_scopes: ['atproto', ...scopes] } }))
afterEach(() => require())
afterAll(() => world.end())

const meWith = (Cookie: string) => buildVisitor(world.server.url, { Cookie }).client.auth.me()
const startUpgrade = (visitor: Visitor, scopes: string[] = [], redirect_to?: string) =>
  visitor.client.auth.startScopeUpgrade({ body: { scopes, ...(redirect_to === undefined ? {} : { redirect_to }) } })
const exchange = (visitor: Visitor, exchange_token: string) =>
  visitor.client.auth.exchange({ body: { exchange_token } })

async function buildMember(name: string): Promise<{ visitor: Visitor; did: string; user_id: number }> {
  const user = await linkedUser(world, `${name}.test`, { password: PASSWORD })
  return { ...(await signInAs(world, `${name}.test`, visit())), ...user }
}

async function upgrade(visitor: Visitor, scopes: string[] = []) {
  const { auth_url } = dataOf(await startUpgrade(visitor, scopes))
  return dataOf(await exchange(visitor, await goOn(world, visitor, auth_url)))
}

describe('a session whose grant covers less than the settings require', () => {
  let held: Visitor
  let program: Visitor
  beforeAll(async () => {
    const { visitor } = await buildMember('held')
    const { auth_url } = dataOf(await visitor.client.auth.startDeveloperToken({ body: {} }))
    const { session_id } = dataOf(await exchange(visitor, await goOn(world, visitor, auth_url)))
    held = visitor
    program = buildVisitor(world.server.url, { Authorization: `Bearer ${session_id}` })
  })
  beforeEach(() => require(MORE))

  async function call(visitor: Visitor, [, entry]: (typeof entries)[number]): Promise<string> {
    const data = entry.method === 'GET' || entry.method === 'DELETE' ? {} : { data: { no_such_field: 1 } }
    return codeIn((await visitor.http.request({ method: entry.method, url: pathOf(entry), ...data })).data)
  }
  const closed = entries.filter(([, entry]) => authOf(entry) !== 'public' && entry.scope !== 'open')

  test.each(closed)('%s answers SCOPE_UPGRADE_REQUIRED, to its developer tokens too', async (...named) => {
    expect(await call(held, named)).toBe('SCOPE_UPGRADE_REQUIRED')
    expect(await call(program, named)).toBe('SCOPE_UPGRADE_REQUIRED')
  })

  test('has only these left: who it is, its grant, the upgrade, switching and the ways out', () => {
    const open = entries.filter(([, entry]) => authOf(entry) !== 'public' && entry.scope === 'open')
    expect(open.map(([name]) => name).sort()).toEqual([
      'auth.grant',
      'auth.logoutAll',
      'auth.me',
      'auth.refreshGrant',
      'auth.startScopeUpgrade',
      'auth.switchAccount',
      'users.invalidateTokens',
    ])
  })

  test('is told so by me, and by the two lists of scopes', async () => {
    const lacking = { scopes: ['atproto'], scope_upgrade_required: true }
    expect(dataOf(await held.client.auth.me())).toMatchObject(lacking)
    expect(dataOf(await program.client.auth.me())).toMatchObject(lacking)
    const { scopes, required_scopes, state } = dataOf(await held.client.auth.grant())
    expect({ scopes, required_scopes, state }).toEqual({
      scopes: ['atproto'],
      required_scopes: ['atproto', MORE],
      state: 'live',
    })
    await require()
    expect(dataOf(await held.client.auth.me()).scope_upgrade_required).toBe(false)
  })

  test('is none that a password began: there is no grant to speak of', async () => {
    const local = await buildSignedIn(world.server, 'held', PASSWORD)
    expect(codeOf(await local.client.auth.sessions())).toBe('ok')
    expect(dataOf(await local.client.auth.me()).scope_upgrade_required).toBe(false)
    expect(codeOf(await local.client.auth.grant())).toBe('GRANT_ABSENT')
    expect(codeOf(await startUpgrade(local, [MORE]))).toBe('GRANT_ABSENT')
  })
})

describe('a scope upgrade', () => {
  test('asks for what is held, required and wanted, and replaces the session', async () => {
    const { visitor, did, user_id } = await buildMember('uma')
    const before = cookieOf(visitor)
    await require(MORE)
    expect(await upgrade(visitor, [MOST])).toMatchObject({ user_id, username: 'uma' })
    expect(lastAsked(world)).toMatchObject({ prompt: 'login' })
    expect(lastAsked(world)['scope']?.split(' ').sort()).toEqual(['atproto', MOST, MORE].sort())
    expect(codeOf(await meWith(before))).toBe('SESSION_EXPIRED')
    const me = dataOf(await visitor.client.auth.me())
    expect(me).toMatchObject({ did, scope_upgrade_required: false, auth_source: 'atproto', linked_accounts: [] })
    expect(me.scopes.sort()).toEqual(['atproto', MOST, MORE].sort())
    expect(dataOf(await visitor.client.auth.sessions()).sessions).toHaveLength(1)
    // What is held already is asked for the next time, too.
    await upgrade(visitor)
    expect(lastAsked(world)['scope']?.split(' ').sort()).toEqual(['atproto', MOST, MORE].sort())
  })

  test('keeps the group and whoever else is in it, and gives the old grant back after', async () => {
    await linkedUser(world, 'beside.test')
    const { visitor, did } = await buildMember('vera')
    const first = cookieOf(visitor)
    await addAccount(world, visitor, 'beside.test')
    dataOf(await visitor.client.auth.switchAccount({ body: { target_did: did } }))
    await upgrade(visitor, [MORE])
    expect((await linkedIn(visitor)).sort()).toEqual(['*vera', 'beside'])
    await givenBack(world, did, 1)
    const [old, granted] = world.provider.grants.filter((grant) => grant.did === did)
    expect([old?.revoked, granted?.revoked, granted?.scope.includes(MORE)]).toEqual([true, false, true])
    expect(codeOf(await meWith(first))).toBe('UNAUTHENTICATED')
    const beside = await world.server.storage.users.findByName('beside')
    dataOf(await visitor.client.auth.switchAccount({ body: { target_user_id: beside?.user_id ?? 0 } }))
    expect((await linkedIn(visitor)).sort()).toEqual(['*beside', 'vera'])
  })

  test('is refused where another account answers, and the session stays as it was', async () => {
    const { did } = await linkedUser(world, 'intruder.test')
    const { visitor } = await buildMember('wanda')
    const { auth_url } = dataOf(await startUpgrade(visitor, [MORE]))
    world.provider.behave({ otherAccount: did })
    expect(await endOf(visitor, await world.provider.follow(auth_url))).toBe('FLOW_USER_MISMATCH')
    expect(dataOf(await visitor.client.auth.me())).toMatchObject({ username: 'wanda', scopes: ['atproto'] })
    expect(world.provider.grants.at(-1)).toMatchObject({ did, revoked: true })
  })

  test.each([
    ['grants less without a word', { scope: 'atproto' }, 'SCOPE_NOT_GRANTED'],
    ['lets its owner say no', { deny: true }, 'FLOW_DENIED'],
  ])('is refused where the provider %s, and the session stays as it was', async (_case, behaviour, code) => {
    const name = code.toLowerCase().replaceAll('_', '-')
    const { visitor, did } = await buildMember(name)
    const before = cookieOf(visitor)
    const { auth_url } = dataOf(await startUpgrade(visitor, [MORE]))
    world.provider.behave(behaviour)
    expect(await endOf(visitor, await world.provider.follow(auth_url))).toBe(code)
    expect(dataOf(await meWith(before)).scopes).toEqual(['atproto'])
    const live = world.provider.grants.filter((grant) => grant.did === did && !grant.revoked)
    expect(live.map(({ scope }) => scope)).toEqual(['atproto'])
  })

  test('is worth nothing when its session was signed out meanwhile, here or by another browser of the person', async () => {
    const { visitor, user_id } = await buildMember('xenia')
    const begin = async () => goOn(world, visitor, dataOf(await startUpgrade(visitor, [MORE])).auth_url)
    const first = await begin()
    dataOf(await visitor.client.auth.logout())
    expect(codeOf(await exchange(visitor, first))).toBe('EXCHANGE_TOKEN_INVALID')
    await signInAs(world, 'xenia.test', visitor)
    const second = await begin()
    await world.server.storage.sessions.revokeAll(user_id, world.server.clock())
    expect(codeOf(await exchange(visitor, second))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(await world.server.storage.sessions.listLive(user_id, world.server.clock(), 0)).toEqual([])
  })

  test('ends at its own page, and brings back to where it was asked for, if that is a page of ours', async () => {
    const { visitor } = await buildMember('yara')
    const { auth_url } = dataOf(await startUpgrade(visitor, [], '/audit?x=1'))
    const { path, fragment } = await comeBack(visitor, await world.provider.follow(auth_url))
    expect(path).toBe('/settings/scopes')
    const exchanged = dataOf(await exchange(visitor, fragment.get('exchange_token') ?? ''))
    expect(exchanged.redirect_to).toBe('/audit?x=1')
    for (const bad of ['https://evil.test/', '//evil.test', '/\\evil.test', '/api/auth/me', 'audit'])
      expect([bad, codeOf(await startUpgrade(visitor, [], bad))]).toEqual([bad, 'REDIRECT_NOT_ALLOWED'])
  })

  test('takes scopes one by one, none with white space in it', async () => {
    const { visitor } = await buildMember('zoe')
    for (const scopes of [[`${MORE} ${MOST}`], [''], ['a"b'], ['ü'], Array<string>(51).fill(MORE)])
      expect(codeOf(await startUpgrade(visitor, scopes))).toBe('INVALID_JSON_SCHEMA')
  })
})
