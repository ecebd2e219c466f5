import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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
import { programWith } from './programs.ts'
import { codeIn } from './raw.ts'

const PASSWORD = 'wooden quiet lamp'
const DAY = 86_400_000

let world: AtprotoWorld
let visit: () => Visitor
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  visit = visitsOf(world.server)
})
beforeEach(() => world.provider.behave({}))
afterAll(() => world.end())

type Asked = NonNullable<Parameters<Visitor['client']['auth']['startDeveloperToken']>[0]>['body']
const begin = (visitor: Visitor, body: Asked = {}) => visitor.client.auth.startDeveloperToken({ body })
const exchange = (visitor: Visitor, exchange_token: string) =>
  visitor.client.auth.exchange({ body: { exchange_token } })
const program = (token: string) => programWith(world.server, token)

async function buildOwner(name: string, fields: { superuser?: boolean } = {}) {
  const user = await linkedUser(world, `${name}.test`, { password: PASSWORD, ...fields })
  return { ...(await signInAs(world, `${name}.test`, visit())), ...user }
}

/** A token by the flow. */
async function mint(visitor: Visitor, body: Asked = {}): Promise<string> {
  const { auth_url } = dataOf(await begin(visitor, body))
  return dataOf(await exchange(visitor, await goOn(world, visitor, auth_url))).session_id
}

describe('a developer token that a provider grants', () => {
  test('comes by a flow of its own, which asks for the password and leaves the cookie alone', async () => {
    const { visitor, user_id, did } = await buildOwner('olga')
    const before = cookieOf(visitor)
    const { auth_url } = dataOf(await begin(visitor, { name: 'nightly', expires_in_days: 7 }))
    expect(lastAsked(world)).toMatchObject({ prompt: 'login', scope: 'atproto' })
    const { path, fragment } = await comeBack(visitor, await world.provider.follow(auth_url))
    expect(path).toBe('/settings/developer-tokens')
    const exchange_token = fragment.get('exchange_token')
    const { data, headers } = await visitor.http.post('/api/auth/exchange', { exchange_token })
    expect(headers['set-cookie']).toBeUndefined()
    const token: string = data.data.session_id
    const expires_at = new Date(world.server.clock() + 7 * DAY).toISOString()
    const developer_token = { prefix: token.slice(0, 8), name: 'nightly', expires_at, stops_working_on: expires_at }
    expect(data.data).toEqual({ session_id: token, user_id, username: 'olga', developer_token })
    expect(token).toMatch(/^[\w-]{8}\.[\w-]{43}$/)
    expect(codeOf(await exchange(visitor, exchange_token ?? ''))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(cookieOf(visitor)).toBe(before)
    expect(dataOf(await program(token).client.auth.me())).toMatchObject({
      user_id,
      did,
      scopes: ['atproto'],
      auth_source: 'atproto',
      is_temporary: false,
      linked_accounts: [],
    })
  })

  test('has a grant of its own, which outlives the session and is given back when the token is revoked', async () => {
    const { visitor, did } = await buildOwner('otto')
    const token = await mint(visitor)
    const live = () => world.provider.grants.filter((grant) => grant.did === did && !grant.revoked).length
    expect(live()).toBe(2)
    const [row] = dataOf(await visitor.client.auth.developerTokens()).tokens
    expect(row).toMatchObject({ did, needs_sign_in: false, stops_working_on: expect.stringMatching(/^2026-12-06/) })
    dataOf(await visitor.client.auth.logout())
    await givenBack(world, did, 1)
    expect(codeOf(await program(token).client.auth.me())).toBe('ok')
    await signInAs(world, 'otto.test', visitor)
    dataOf(await visitor.client.auth.revokeDeveloperToken({ params: { token_prefix: token.slice(0, 8) } }))
    expect(codeOf(await program(token).client.auth.me())).toBe('SESSION_EXPIRED')
    await givenBack(world, did, 2)
  })

  test('is no member of the group, and not among the sessions', async () => {
    const { visitor } = await buildOwner('oda')
    await linkedUser(world, 'guest.test')
    await addAccount(world, visitor, 'guest.test')
    const token = await mint(visitor)
    expect(await linkedIn(visitor)).toEqual(['oda', '*guest'])
    dataOf(await visitor.client.auth.logoutAll())
    expect(dataOf(await program(token).client.auth.me())).toMatchObject({ username: 'guest', linked_accounts: [] })
  })

  test('is refused to who has no ATProto account, to another account, and when its owner says no', async () => {
    expect(codeOf(await begin(world.admin))).toBe('GRANT_ABSENT')
    const { visitor } = await buildOwner('orla')
    const { did } = await linkedUser(world, 'orlando.test')
    const end = async (behaviour: object) => {
      const { auth_url } = dataOf(await begin(visitor))
      world.provider.behave(behaviour)
      const code = await endOf(visitor, await world.provider.follow(auth_url))
      world.provider.behave({})
      return code
    }
    expect(await end({ otherAccount: did })).toBe('FLOW_USER_MISMATCH')
    expect(await end({ deny: true })).toBe('FLOW_DENIED')
    expect(dataOf(await visitor.client.auth.developerTokens()).tokens).toEqual([])
  })

  test('ends in the session that began it or not at all, and is worth nothing to a program that asks', async () => {
    const { visitor } = await buildOwner('omar')
    const exchange_token = await goOn(world, visitor, dataOf(await begin(visitor)).auth_url)
    await signInAs(world, 'omar.test', visitor)
    expect(codeOf(await exchange(visitor, exchange_token))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(codeOf(await begin(program(await mint(visitor))))).toBe('ACCESS_DENIED')
  })

  test('stops at fifty with those of the local account', async () => {
    const { visitor } = await buildOwner('odo')
    for (let count = 0; count < 50; count += 1) dataOf(await visitor.client.auth.createDeveloperToken())
    expect(codeOf(await begin(visitor))).toBe('TOO_MANY_ACTIVE')
  })
})

describe('what a developer token may', () => {
  let token: string
  let owner: Visitor
  beforeAll(async () => {
    const { visitor } = await buildOwner('chief', { superuser: true })
    owner = visitor
    token = await mint(visitor)
  })

  async function call([, entry]: (typeof entries)[number]): Promise<string> {
    const data = entry.method === 'GET' || entry.method === 'DELETE' ? {} : { data: { no_such_field: 1 } }
    return codeIn((await program(token).http.request({ method: entry.method, url: pathOf(entry), ...data })).data)
  }
  const closed = entries.filter(([, entry]) => !['public', 'session'].includes(authOf(entry)))

  test.each(closed)('%s is not among it, though its owner is a superuser', async (...named) => {
    expect(await call(named)).toBe('ACCESS_DENIED')
  })

  test('is to say who its owner is, to read his record and his tokens, and to sign him out', () => {
    const open = entries.filter(([, entry]) => authOf(entry) === 'session').map(([name]) => name)
    expect(open.sort()).toEqual([
      'auth.developerTokens',
      'auth.me',
      'users.invalidateTokens',
      'users.read',
      'users.readMe',
    ])
  })

  test('reaches nobody but its owner', async () => {
    const { user_id } = dataOf(await program(token).client.auth.me())
    expect(codeOf(await program(token).client.users.read({ params: { id: String(user_id) } }))).toBe('ok')
    for (const id of ['1', '999999'])
      expect(codeOf(await program(token).client.users.read({ params: { id } }))).toBe('ACCESS_DENIED')
  })

  test('is nothing as a cookie, and a session is nothing in the form of a token', async () => {
    const asCookie = buildVisitor(world.server.url, { Cookie: `latchkey_session=${token}` })
    expect(codeOf(await asCookie.client.auth.me())).toBe('UNAUTHENTICATED')
    const jwt = owner.cookies.get('latchkey_session') ?? ''
    expect(dataOf(await program(jwt).client.auth.me()).username).toBe('chief')
    const [, claims = ''] = jwt.split('.')
    const { sid } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sid: string }
    for (const forged of [`${token.slice(0, 8)}.${sid}`, sid, token.slice(9), `${token}.${token}`])
      expect(codeOf(await program(forged).client.auth.me())).toBe('UNAUTHENTICATED')
  })

  test('is not held by the password gate, nor by a second factor that the settings demand', async () => {
    const { visitor, user_id } = await buildOwner('gated')
    const own = await mint(visitor)
    const body = { password: 'Temp-4711-hearth' }
    dataOf(await world.admin.client.users.resetPassword({ params: { id: String(user_id) }, body }))
    dataOf(await world.admin.client.settings.change({ body: { mfa_demand: 'everybody' } }))
    expect(codeOf(await program(own).client.auth.me())).toBe('ok')
    expect(codeOf(await program(own).client.users.editMe({ body: { password: 'a new one for all' } }))).toBe(
      'ACCESS_DENIED',
    )
    const gated = await buildSignedIn(world.server, 'gated', 'Temp-4711-hearth')
    expect(codeOf(await gated.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
  })
})
