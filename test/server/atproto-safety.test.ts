import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { inviteUser } from '../../server/domain/newcomers.ts'
import type { Behaviour } from '../helpers/provider/behaviour.ts'
import { ADMIN, buildVisitor, codeOf, dataOf, type Visitor, viaProxy } from '../helpers/visitor.ts'
import {
  type AtprotoWorld,
  endOf,
  exchangeTokenOf,
  linkedUser,
  signInAs,
  startAt,
  startWorld,
  TRUSTING,
} from './atproto.ts'

/** What somebody tries who wants into an account, or wants to keep others out of theirs. */

const HOUR = 3_600_000

let world: AtprotoWorld
beforeAll(async () => {
  world = await startWorld({ config: TRUSTING })
  await linkedUser(world, 'bob.test', { password: 'another horse battery' })
})
beforeEach(async () => {
  world.provider.behave({})
  world.server.clock.advance(61_000)
  dataOf(await world.admin.client.auth.reauth({ body: { password: ADMIN.password } }))
  await change({ atproto_enabled: true, atproto_sign_up: 'linked', account_creation_enabled: false })
})
afterAll(() => world.end())

type Change = NonNullable<NonNullable<Parameters<Visitor['client']['settings']['change']>[0]>['body']>
const change = async (body: Change) => dataOf(await world.admin.client.settings.change({ body }))
const visit = (headers: Record<string, string> = {}) => buildVisitor(world.server.url, headers)
const start = (params: Record<string, string>, headers: Record<string, string> = {}) =>
  visit().http.get('/api/auth/start', { params: { handle: 'bob.test', ...params }, headers })
const exchange = (visitor: Visitor, exchange_token: string) =>
  visitor.client.auth.exchange({ body: { exchange_token } })

describe('a page of somebody else', () => {
  test.each(['cross-site', 'same-site'])(
    'cannot begin a sign-in in a browser that comes from it (%s)',
    async (site) => {
      world.provider.requests.length = 0
      const { status, headers } = await start({}, { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate' })
      expect([status, headers['location']]).toEqual([303, '/login#auth_error=BAD_ORIGIN'])
      expect(world.provider.requests).toEqual([])
      const image = await start({}, { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'no-cors' })
      expect([image.status, image.data.error]).toEqual([403, 'BAD_ORIGIN'])
    },
  )

  test.each(['none', 'same-origin'])('is not what the person himself is (%s)', async (site) => {
    expect((await start({}, { 'Sec-Fetch-Site': site, 'Sec-Fetch-Mode': 'navigate' })).status).toBe(302)
  })

  test('sends the browser back to us where it is the provider', async () => {
    const visitor = visit()
    const { pathname, search } = new URL(await startAt(world, visitor, { handle: 'bob.test' }))
    const { headers } = await visitor.http.get(`${pathname}${search}`, { headers: { 'Sec-Fetch-Site': 'cross-site' } })
    expect(headers['location']).toMatch(/^\/portal#exchange_token=/)
  })

  test('is not reached by looking ahead: that begins no flow and uses none up', async () => {
    world.provider.requests.length = 0
    expect((await visit().http.head('/api/auth/start', { params: { handle: 'bob.test' } })).status).toBe(403)
    expect(world.provider.requests).toEqual([])
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    await visit().http.head(location)
    expect(await endOf(visitor, location)).toBe('ok')
  })

  test.each([
    '/portal/../api/auth/logout',
    '/%2e%2e/api/x',
    '/./api/x',
    '/api',
    '/api/',
    '//evil.test',
    '/\\evil.test',
  ])('is not where a sign-in ends, nor is the interface: %s', async (return_to) => {
    expect((await start({ return_to })).data.error).toBe('START_PARAMETERS')
  })
})

describe('the cookie that binds a flow to its browser', () => {
  test.each(['', 'a', 'x;Domain=evil.test', 'y'.repeat(44)])(
    'is made anew unless it is one of ours: %s',
    async (nonce) => {
      const { headers } = await start({}, { Cookie: `latchkey_flow=${nonce}` })
      expect(String(headers['set-cookie'])).toMatch(
        /^latchkey_flow=[\w-]{43}; Path=\/; Max-Age=1200; HttpOnly; SameSite=Lax$/,
      )
      expect(String(headers['set-cookie'])).not.toContain('y'.repeat(43))
    },
  )
})

describe('what a provider answers', () => {
  test.each(['127.0.0.1:6666', 'localhost:6666', '127.9.9.9'])(
    'is not handed on to another port or address of this machine: %s',
    async (name) => {
      const { port } = new URL(world.server.url)
      const Host = name.includes(':') ? name : `${name}:${port}`
      const { pathname, search } = new URL(await startAt(world, visit({ Host }), { handle: 'bob.test' }))
      const { headers } = await visit().http.get(`${pathname}${search}`)
      expect(headers['location']).toBe('/login#auth_error=FLOW_FOREIGN_BROWSER')
    },
  )

  test('is refused when it names more scopes than anybody reads', async () => {
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    world.provider.behave({ scope: `atproto ${'repo:x '.repeat(2000)}`.trim() })
    expect(await endOf(visitor, location)).toBe('FLOW_REJECTED')
  })

  test('stands in no log, whatever is wrong with it', async () => {
    const { did } = world.provider.addAccount({ handle: 'elsewhere.test', pds: world.provider.elsewhere })
    const wrong: Behaviour[] = [
      { deny: true },
      { deny: 'server_error' },
      { wrongIss: true },
      { noIss: true },
      { wrongSub: did },
      { token: { status: 500 } },
      { scope: 'transition:generic' },
    ]
    const secrets: string[] = []
    for (const behaviour of wrong) {
      const visitor = visit()
      world.provider.behave({})
      const { headers } = await visitor.http.get('/api/auth/start', { params: { handle: 'bob.test' } })
      world.provider.behave(behaviour)
      const location = await world.provider.follow(String(headers['location']))
      const { searchParams } = new URL(location)
      secrets.push(...['code', 'state'].flatMap((name) => searchParams.get(name) ?? []))
      expect(await endOf(visitor, location)).not.toBe('ok')
    }
    const log = await readFile(join(world.server.directory, 'latchkey.log'), 'utf8')
    expect(log).toContain('a provider of ATProto accounts was not of use')
    for (const secret of secrets) expect(log).not.toContain(secret)
    expect(log).not.toMatch(/(access|refresh|code)-[\w-]{20}|"d":/)
  })
})

describe('a setting that is changed while somebody is on the way', () => {
  test('switched off, lets nobody come back', async () => {
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    await change({ atproto_enabled: false })
    expect(await endOf(visitor, location)).toBe('ATPROTO_DISABLED')
  })

  test('switched off, makes exchange tokens worth nothing', async () => {
    const visitor = visit()
    const token = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle: 'bob.test' }))
    await change({ atproto_enabled: false })
    expect(codeOf(await exchange(visitor, token))).toBe('ATPROTO_DISABLED')
    expect(visitor.cookies.has('latchkey_session')).toBe(false)
  })
})

describe('a proof that is fresh', () => {
  test('does not come of asking for a new account and signing in with an old one, of which no password is asked', async () => {
    const { did } = await linkedUser(world, 'old.test')
    await signInAs(world, 'old.test')
    world.server.clock.advance(HOUR)
    const option = { name: 'Here', url: world.provider.url, recommended: true, description: '', info_url: null }
    await change({ atproto_sign_up: 'open', account_creation_enabled: true, atproto_pds_options: [option] })
    const visitor = visit()
    world.provider.behave({ otherAccount: did })
    dataOf(
      await exchange(visitor, await exchangeTokenOf(visitor, await startAt(world, visitor, { pds_url: option.url }))),
    )
    expect(codeOf(await visitor.client.auth.createDeveloperToken({ body: {} }))).toBe('REAUTH_REQUIRED')
  })

  test('of a startup token links no ATProto account: it would be a way in that nobody notices', async () => {
    world.provider.addAccount({ handle: 'thief.test' })
    const visitor = visit()
    const temporary_token = world.server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(codeOf(await visitor.client.auth.startLinkAccount({ body: { handle: 'thief.test' } }))).toBe('ACCESS_DENIED')
  })
})

describe('others', () => {
  test('of the same address can sign in while providers are slow', { timeout: 30_000 }, async () => {
    const behind = viaProxy(world.server.url, '203.0.113.7')
    const slow = visit(behind)
    const form = { username: 'bob', password: 'another horse battery' }
    dataOf(await slow.client.auth.login({ body: form }))
    world.provider.behave({ handle: { slow: 4_000 } })
    const waiting = Array.from({ length: 8 }, () =>
      slow.client.auth.startLinkAccount({ body: { handle: 'any.test' } }).then(() => performance.now()),
    )
    await expect.poll(() => world.provider.count('handle')).toBeGreaterThan(0)
    dataOf(await visit(behind).client.auth.login({ body: form }))
    const signedInAt = performance.now()
    expect(signedInAt).toBeLessThan(Math.min(...(await Promise.all(waiting))))
  })

  test('get a user, too, whose identifiers begin alike and who have no handle', async () => {
    const { storage, clock } = world.server
    const stem = `did:web:${randomBytes(12).toString('hex')}`
    const dids = [`${stem}-one.test`, `${stem}-two.test`, `${stem}.test`, 'did:web:-.test']
    const users = await Promise.all(dids.map((did) => inviteUser(storage, { did, handle: null }, clock())))
    expect(users.map(({ did }) => did)).toEqual(dids)
    for (const { username } of users) expect(username).toMatch(/^at-[a-z0-9]{3,24}$/)
  })
})
