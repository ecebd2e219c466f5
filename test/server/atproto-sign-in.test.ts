import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ADMIN, buildVisitor, codeOf, dataOf, viaProxy } from '../helpers/visitor.ts'
import {
  type AtprotoWorld,
  comeBack,
  endOf,
  exchangeTokenOf,
  linkedUser,
  signInAs,
  startAt,
  startWorld,
} from './atproto.ts'

let world: AtprotoWorld
beforeAll(async () => {
  world = await startWorld({ config: { trustedProxies: ['127.0.0.1'] } })
})
beforeEach(() => {
  world.provider.behave({})
  // Ten flows a minute: each test has its own minute.
  world.server.clock.advance(61_000)
})
afterEach(() => world.admin.client.settings.change({ body: { atproto_enabled: true, atproto_sign_up: 'linked' } }))
afterAll(() => world.end())

const visit = () => buildVisitor(world.server.url)

describe('signing in with an ATProto account', () => {
  test('goes to the provider and back, and is a session of fourteen days whose secret is in the cookie alone', async () => {
    const { user_id, did } = await linkedUser(world, 'bob.test')
    const { visitor, session_id, user_id: signedIn } = await signInAs(world, '@Bob.test')
    expect(signedIn).toBe(user_id)
    const me = dataOf(await visitor.client.auth.me())
    expect(me).toMatchObject({ user_id, did, handle: 'bob.test', auth_source: 'atproto', scopes: ['atproto'] })
    const [session] = dataOf(await visitor.client.auth.sessions()).sessions
    expect(session).toMatchObject({ session_id, auth_source: 'atproto', amr: ['atproto'] })
    const life = Date.parse(session?.expires_at ?? '') - Date.parse(session?.created_at ?? '')
    expect(life).toBe(14 * 86_400_000)
    expect(visitor.cookies.get('latchkey_session')).not.toContain(session_id)
  })

  test('asks by PAR, with PKCE and DPoP, and shows the browser nothing but the request', async () => {
    await linkedUser(world, 'pia.test')
    world.provider.requests.length = 0
    const { status, headers } = await visit().http.get('/api/auth/start', { params: { handle: 'pia.test' } })
    expect(status).toBe(302)
    expect([...new URL(String(headers['location'])).searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
    const par = world.provider.requests.find(({ endpoint }) => endpoint === 'par')
    expect(par?.form).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', scope: 'atproto' })
    expect(par?.form['code_challenge']).toMatch(/^[\w-]{43}$/)
    expect(par?.headers['dpop']).toBeDefined()
    expect(par?.form).not.toHaveProperty('prompt')
  })

  test('knows a second server of ATProto, and one that demands nonces', async () => {
    const { did } = world.provider.addAccount({ handle: 'far.test', pds: world.provider.elsewhere })
    await world.admin.client.auth.reauth({ body: { password: ADMIN.password } })
    dataOf(await world.admin.client.users.create({ body: { username: 'far', did } }))
    world.provider.behave({ demandNonce: true })
    const { visitor } = await signInAs(world, 'far.test')
    expect(dataOf(await visitor.client.auth.grant()).issuer).toBe(world.provider.elsewhere)
  })

  test('is refused for an account that nobody linked, and its grant is given back', async () => {
    world.provider.addAccount({ handle: 'stranger.test' })
    const visitor = visit()
    expect(await endOf(visitor, await startAt(world, visitor, { handle: 'stranger.test' }))).toBe('ACCOUNT_NOT_LINKED')
    expect(world.provider.grants.at(-1)).toMatchObject({ revoked: true })
  })

  test('makes a user without rights of whoever comes, where sign-up is open; two at once are one user', async () => {
    dataOf(await world.admin.client.settings.change({ body: { atproto_sign_up: 'open' } }))
    const { did } = world.provider.addAccount({ handle: 'new-comer.test' })
    const visitors = [visit(), visit()]
    const locations = await Promise.all(
      visitors.map((visitor) => startAt(world, visitor, { handle: 'new-comer.test' })),
    )
    const arrivals = await Promise.all(visitors.map((visitor, at) => comeBack(visitor, locations[at] ?? '')))
    expect(arrivals.map(({ path }) => path)).toContain('/profile/setup')
    const exchange_token = arrivals[0]?.fragment.get('exchange_token') ?? ''
    const user_id = dataOf(await visitors[0]!.client.auth.exchange({ body: { exchange_token } })).user_id
    const user = dataOf(await world.admin.client.users.read({ params: { id: String(user_id) } }))
    expect(user).toMatchObject({ did, username: 'new-comer', superuser: false, permissions: [], has_password: false })
    const found = dataOf(await world.admin.client.users.list({ query: { q: 'new-comer' } }))
    expect(found.items).toHaveLength(1)
  })

  test('takes another name where the handle’s is taken', async () => {
    dataOf(await world.admin.client.settings.change({ body: { atproto_sign_up: 'open' } }))
    world.provider.addAccount({ handle: 'ann.test' })
    const { username } = await signInAs(world, 'ann.test')
    expect(username).toBe('ann-2')
  })

  test('is refused for a disabled person', async () => {
    const { user_id } = await linkedUser(world, 'dis.test')
    dataOf(await world.admin.client.users.edit({ params: { id: String(user_id) }, body: { enabled: false } }))
    const visitor = visit()
    expect(await endOf(visitor, await startAt(world, visitor, { handle: 'dis.test' }))).toBe('ACCOUNT_DISABLED')
  })

  test('brings the person back to where he wanted to go, and only to a page of ours', async () => {
    await linkedUser(world, 'ret.test')
    const visitor = visit()
    const exchange_token = await exchangeTokenOf(
      visitor,
      await startAt(world, visitor, { handle: 'ret.test', return_to: '/audit?x=1' }),
    )
    expect(dataOf(await visitor.client.auth.exchange({ body: { exchange_token } })).redirect_to).toBe('/audit?x=1')
    for (const return_to of [
      'https://evil.test/',
      '//evil.test',
      '/\\evil.test',
      '/api/auth/start?handle=x.test',
      'evil',
    ]) {
      const { status, data } = await visit().http.get('/api/auth/start', { params: { handle: 'ret.test', return_to } })
      expect([return_to, status, data.error]).toEqual([return_to, 400, 'START_PARAMETERS'])
    }
  })

  test('limits the session of an account with a second factor until that is proved', async () => {
    const { user_id } = await linkedUser(world, 'two.test', { password: 'a long enough one' })
    await world.server.storage.users.beginTotp(user_id, 'sealed')
    await world.server.storage.users.confirmTotp(user_id, ['hash'], 1, world.server.clock())
    const { visitor } = await signInAs(world, 'two.test')
    expect(codeOf(await visitor.client.auth.me())).toBe('SECOND_FACTOR_REQUIRED')
    expect(codeOf(await visitor.client.auth.startAddAccount({ body: { handle: 'bob.test' } }))).toBe(
      'SECOND_FACTOR_REQUIRED',
    )
  })

  test('is not fresh where the provider was not told to ask for the password', async () => {
    await linkedUser(world, 'stale.test')
    await signInAs(world, 'stale.test')
    const { visitor } = await signInAs(world, 'stale.test')
    expect(codeOf(await visitor.client.auth.createDeveloperToken())).toBe('REAUTH_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: 'chosen by a stranger' } }))).toBe(
      'REAUTH_REQUIRED',
    )
  })
})

describe('the start of a flow', () => {
  test('wants either a handle or a provider', async () => {
    for (const params of [{}, { handle: 'a.test', pds_url: world.provider.url }]) {
      const { status, data } = await visit().http.get('/api/auth/start', { params })
      expect([status, data.error]).toEqual([400, 'START_PARAMETERS'])
    }
  })

  test('makes accounts only where that is switched on, sign-up is open, and the provider is offered', async () => {
    const start = async (pds_url: string) =>
      (await visit().http.get('/api/auth/start', { params: { pds_url } })).data.error
    const option = { name: 'Here', url: world.provider.url, recommended: true, description: '', info_url: null }
    await world.admin.client.settings.change({
      body: { atproto_pds_options: [option], account_creation_enabled: true },
    })
    expect(await start(world.provider.url)).toBe('ACCOUNT_CREATION_DISABLED')
    expect(dataOf(await visit().client.auth.pdsOptions()).enabled).toBe(false)
    await world.admin.client.settings.change({ body: { atproto_sign_up: 'open' } })
    expect(await start(world.provider.elsewhere)).toBe('PDS_NOT_OFFERED')
    expect(dataOf(await visit().client.auth.pdsOptions())).toEqual({ enabled: true, options: [option] })
    const visitor = visit()
    const { path } = await comeBack(visitor, await startAt(world, visitor, { pds_url: world.provider.url }))
    expect(path).toBe('/profile/setup')
    expect(world.provider.requests.findLast(({ endpoint }) => endpoint === 'par')?.form['prompt']).toBe('create')
  })

  test('is closed where ATProto is switched off', async () => {
    await world.admin.client.settings.change({ body: { atproto_enabled: false } })
    const { status, data } = await visit().http.get('/api/auth/start', { params: { handle: 'bob.test' } })
    expect([status, data.error]).toEqual([403, 'ATPROTO_DISABLED'])
    expect(dataOf(await visit().client.auth.setupStatus()).atproto_enabled).toBe(false)
  })

  test('tells a person on the sign-in page what it tells a program in its answer', async () => {
    const headers = { Accept: 'text/html,application/xhtml+xml' }
    const { status, headers: answered } = await visit().http.get('/api/auth/start', {
      params: { handle: 'nobody.test' },
      headers,
    })
    expect([status, answered['location']]).toEqual([303, '/login#auth_error=HANDLE_UNRESOLVED'])
    const plain = await visit().http.get('/api/auth/start', { params: { handle: 'nobody.test' } })
    expect([plain.status, plain.data.error]).toEqual([400, 'HANDLE_UNRESOLVED'])
  })

  test('is made ten times a minute at most, from one address', async () => {
    const headers = viaProxy(world.server.url, '127.0.0.9')
    const statuses: number[] = []
    for (let tries = 0; tries < 12; tries += 1)
      statuses.push((await visit().http.get('/api/auth/start', { params: { handle: 'nobody.test' }, headers })).status)
    expect(statuses).toEqual([...Array<number>(10).fill(400), 429, 429])
  })
})

describe('an exchange token', () => {
  test('makes one session of a hundred exchanges at once', async () => {
    const { user_id } = await linkedUser(world, 'race.test')
    const visitor = visit()
    const exchange_token = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle: 'race.test' }))
    // Each from an address of its own, so that no limit hides the race; the cookie is the browser's.
    const cookie = `latchkey_flow=${visitor.cookies.get('latchkey_flow') ?? ''}`
    const tries = Array.from({ length: 100 }, (_, at) =>
      visit().http.post(
        '/api/auth/exchange',
        { exchange_token },
        { headers: { 'X-Forwarded-For': `127.0.1.${at + 1}`, Cookie: cookie } },
      ),
    )
    const answers = await Promise.all(tries)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(99)
    expect(await world.server.storage.sessions.listLive(user_id, world.server.clock(), 0)).toHaveLength(1)
  })

  test('is worth nothing in another browser, nor after a minute, nor twice', async () => {
    await linkedUser(world, 'once.test')
    const [visitor, thief] = [visit(), visit()]
    const location = await startAt(world, visitor, { handle: 'once.test' })
    await startAt(world, thief, { handle: 'once.test' })
    const exchange_token = await exchangeTokenOf(visitor, location)
    const exchange = (browser = visitor) => browser.client.auth.exchange({ body: { exchange_token } })
    expect(codeOf(await exchange(thief))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(codeOf(await exchange(visit()))).toBe('EXCHANGE_TOKEN_INVALID')
    expect(codeOf(await exchange())).toBe('ok')
    expect(codeOf(await exchange())).toBe('EXCHANGE_TOKEN_INVALID')
    const late = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle: 'once.test' }))
    world.server.clock.advance(60_000)
    expect(codeOf(await visitor.client.auth.exchange({ body: { exchange_token: late } }))).toBe(
      'EXCHANGE_TOKEN_INVALID',
    )
  })

  test('gives a program its credential and no cookie', async () => {
    await linkedUser(world, 'cli.test')
    const visitor = visit()
    const exchange_token = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle: 'cli.test' }))
    const answer = dataOf(await visitor.client.auth.exchange({ body: { exchange_token, client: 'cli' } }))
    expect(visitor.cookies.has('latchkey_session')).toBe(false)
    const me = await visit().http.get('/api/auth/me', { headers: { Authorization: `Bearer ${answer.session_id}` } })
    expect(me.data.data.username).toBe('cli')
  })
})
