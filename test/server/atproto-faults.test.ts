import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Behaviour } from '../helpers/provider/behaviour.ts'
import { buildVisitor, codeOf, dataOf } from '../helpers/visitor.ts'
import { type AtprotoWorld, comeBack, endOf, linkedUser, signInAs, startAt, startWorld } from './atproto.ts'

/** Every way in which a provider, or who plays one, goes wrong: nobody is signed in, and it is told which way it was. */

let world: AtprotoWorld
let other: string
beforeAll(async () => {
  world = await startWorld()
  await linkedUser(world, 'bob.test')
  other = (await linkedUser(world, 'eve.test')).did
})
beforeEach(() => {
  world.provider.behave({})
  world.server.clock.advance(61_000)
})
afterAll(() => world.end())

const visit = () => buildVisitor(world.server.url)

/** What the start answers while the provider behaves so. */
async function startWith(behaviour: Behaviour): Promise<string> {
  world.provider.behave(behaviour)
  const { status, data } = await visit().http.get('/api/auth/start', { params: { handle: 'bob.test' } })
  return status === 302 ? 'ok' : data.error
}

/** How a flow ends that began well, when the provider behaves so from the consent on. */
async function returnWith(behaviour: Behaviour, visitor = visit()): Promise<string> {
  const { headers } = await visitor.http.get('/api/auth/start', { params: { handle: 'bob.test' } })
  world.provider.behave(behaviour)
  const end = await endOf(visitor, await world.provider.follow(String(headers['location'])))
  expect(codeOf(await visitor.client.auth.me())).toBe('UNAUTHENTICATED')
  return end
}

describe('what comes back', () => {
  test.each<[string, Behaviour, string]>([
    ['the person declines', { deny: true }, 'FLOW_DENIED'],
    ['the provider has an error of its own', { deny: 'server_error' }, 'FLOW_REJECTED'],
    ['another issuer answers (mix-up)', { wrongIss: true }, 'FLOW_REJECTED'],
    ['the answer names no issuer', { noIss: true }, 'FLOW_REJECTED'],
    ['no scope is named', { noScope: true }, 'FLOW_REJECTED'],
    ['`atproto` is not among the scopes', { scope: 'transition:generic' }, 'FLOW_REJECTED'],
    ['the server of the account is gone', { token: 'reset' }, 'PROVIDER_UNREACHABLE'],
    ['the token endpoint fails', { token: { status: 500 } }, 'PROVIDER_UNREACHABLE'],
    ['the answer is too large', { token: 'huge' }, 'FLOW_REJECTED'],
    ['the token endpoint redirects', { token: 'redirect' }, 'PROVIDER_UNREACHABLE'],
    ['a nonce is demanded', { demandNonce: true }, 'ok'],
  ])('ends well only when it is sound: %s', async (_what, behaviour, end) => {
    expect(await returnWith(behaviour)).toBe(end)
  })

  test('is refused when it is for another account than the one that was asked for', async () => {
    expect(await returnWith({ otherAccount: other })).toBe('FLOW_USER_MISMATCH')
    expect(world.provider.grants.at(-1)).toMatchObject({ did: other, revoked: true })
  })

  test('is refused when the provider does not speak for the account that it names', async () => {
    const { did } = world.provider.addAccount({ handle: 'moved.test', pds: world.provider.elsewhere })
    expect(await returnWith({ wrongSub: did })).toBe('FLOW_REJECTED')
  })

  test('counts once: a replayed answer, or one of two at the same moment, is refused', async () => {
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    const ends = await Promise.all([endOf(visitor, location), endOf(visitor, location)])
    expect(ends.sort()).toEqual(['FLOW_INVALID', 'ok'])
    expect(await endOf(visitor, location)).toBe('FLOW_INVALID')
  })

  test('is refused in another browser than the one that began (login CSRF), and is used up by it', async () => {
    const [attacker, victim] = [visit(), visit()]
    const location = await startAt(world, attacker, { handle: 'bob.test' })
    await startAt(world, victim, { handle: 'eve.test' })
    expect(await endOf(victim, location)).toBe('FLOW_FOREIGN_BROWSER')
    expect(await endOf(attacker, location)).toBe('FLOW_INVALID')
    const fresh = await startAt(world, attacker, { handle: 'bob.test' })
    expect(await endOf(visit(), fresh)).toBe('FLOW_FOREIGN_BROWSER')
  })

  test('is refused after ten minutes, and is no plain sign-in then', async () => {
    const visitor = visit()
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    world.server.clock.advance(10 * 60_000)
    expect(await endOf(visitor, location)).toBe('FLOW_EXPIRED')
  })

  test.each([
    '',
    '?state=unknown&code=x&iss=y',
    '?code=x',
    '?error=access_denied',
    '?state=a&state=b',
    `?state=${'x'.repeat(900)}`,
  ])('is refused when we never asked: %s', async (search) => {
    const { headers, status } = await visit().http.get(`/api/auth/callback${search}`)
    expect([status, headers['location']]).toEqual([303, '/login#auth_error=FLOW_INVALID'])
  })

  test('under another of our names goes back to the name that the browser began with, where its cookie is', async () => {
    const port = new URL(world.server.url).port
    const visitor = buildVisitor(`http://localhost:${port}`)
    const location = await startAt(world, visitor, { handle: 'bob.test' })
    expect(new URL(location).hostname).toBe('127.0.0.1')
    const { pathname, search } = new URL(location)
    const { headers } = await visit().http.get(`${pathname}${search}`)
    expect(String(headers['location'])).toBe(`http://localhost:${port}${pathname}${search}`)
    const { path, fragment } = await comeBack(visitor, String(headers['location']))
    expect([path, fragment.has('exchange_token')]).toEqual(['/portal', true])
  })
})

describe('before anybody leaves', () => {
  test.each<[string, Behaviour, string]>([
    ['the handle resolver is gone', { handle: 'reset' }, 'PROVIDER_UNREACHABLE'],
    ['the directory does not know the account', { did: { status: 404 } }, 'HANDLE_UNRESOLVED'],
    ['the metadata host is down', { metadata: 'reset' }, 'PROVIDER_UNREACHABLE'],
    ['the metadata host redirects', { metadata: 'redirect' }, 'PROVIDER_UNREACHABLE'],
    ['the metadata are too large', { metadata: 'huge' }, 'PROVIDER_UNREACHABLE'],
    ['the request is not taken', { par: { status: 500 } }, 'PROVIDER_UNREACHABLE'],
    ['a nonce is demanded', { demandNonce: true }, 'ok'],
  ])('nobody is sent away when %s', async (_what, behaviour, code) => {
    expect(await startWith(behaviour)).toBe(code)
  })

  test('a handle must be proved both ways', async () => {
    const account = world.provider.addAccount({ handle: 'claimed.test' })
    account.claims = 'somebody-else.test'
    const { data } = await visit().http.get('/api/auth/start', { params: { handle: 'claimed.test' } })
    expect(data.error).toBe('HANDLE_UNRESOLVED')
  })

  test('a person keeps the name that was proved before, when it cannot be proved any more', async () => {
    const { did } = await linkedUser(world, 'renamed.test')
    await signInAs(world, 'renamed.test')
    const account = world.provider.account(did)
    if (account) account.claims = 'stolen-name.test'
    const { visitor } = await signInAs(world, did)
    expect(dataOf(await visitor.client.auth.me()).handle).toBe('renamed.test')
  })

  test('waits ten seconds at most for a provider that never answers', { timeout: 30_000 }, async () => {
    const began = performance.now()
    expect(await startWith({ par: 'hang' })).toBe('PROVIDER_UNREACHABLE')
    expect(performance.now() - began).toBeLessThan(15_000)
  })
})
