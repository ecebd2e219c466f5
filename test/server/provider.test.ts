// The provider that the other tests lean on, driven by the library itself: that it is right when good, and how it is bad.
import { JoseKey, type NodeOAuthClient, type OAuthClientMetadataInput } from '@atproto/oauth-client-node'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type Provider, startProvider } from '../helpers/hostile-provider.ts'
import { buildLoopbackClient } from '../helpers/loopback-client.ts'

let provider: Provider
beforeAll(async () => {
  provider = await startProvider()
})
afterEach(() => {
  provider.behave({})
  provider.requests.length = 0
})
afterAll(() => provider.stop())

const SCOPE = 'atproto transition:generic'

const buildClient = (own: { metadata?: OAuthClientMetadataInput; keyset?: JoseKey[] } = {}) =>
  buildLoopbackClient({
    scope: SCOPE,
    redirectUri: 'http://127.0.0.1/callback',
    handleResolver: provider.url,
    plcDirectoryUrl: provider.url,
    ...own,
  })

async function roundTrip(client: NodeOAuthClient, input: string, options: { prompt?: 'create' } = {}) {
  const location = await provider.follow(await client.authorize(input, options))
  const { session } = await client.callback(new URL(location).searchParams)
  return session
}

/** What went wrong, down to the innermost cause. */
async function failure(work: Promise<unknown>): Promise<string> {
  const messages: string[] = []
  let error: unknown = await work.then(
    () => 'nothing',
    (reason: unknown) => reason,
  )
  for (; error instanceof Error; error = error.cause) messages.push(error.message)
  return messages.join(' < ') || String(error)
}

describe('a good provider', () => {
  test('signs in by handle, with the scope asked for', async () => {
    const { did } = provider.addAccount({ handle: 'ann.test' })
    const session = await roundTrip(buildClient(), 'ann.test')
    expect(session.did).toBe(did)
    const { scope, iss, aud } = await session.getTokenInfo()
    expect({ scope, iss, aud }).toEqual({ scope: SCOPE, iss: provider.url, aud: `${provider.url}/` })
    expect(provider.requests.find(({ endpoint }) => endpoint === 'par')?.form['login_hint']).toBe('ann.test')
  })

  test('signs in at its second PDS, which is an issuer of its own', async () => {
    const { did } = provider.addAccount({ handle: 'away.test', pds: provider.elsewhere })
    const session = await roundTrip(buildClient(), did)
    expect((await session.getTokenInfo()).iss).toBe(provider.elsewhere)
  })

  test('makes an account', async () => {
    const session = await roundTrip(buildClient(), provider.url, { prompt: 'create' })
    expect(provider.account(session.did)?.handle).toMatch(/^new-[0-9a-f]{10}\.test$/)
  })

  test('rotates refresh tokens, and ends the grant at sign-out', async () => {
    const { did } = provider.addAccount({ handle: 'rotor.test' })
    const client = buildClient()
    await roundTrip(client, 'rotor.test')
    await client.restore(did, true)
    const session = await client.restore(did, true)
    const [first, second] = provider.requests.flatMap(({ form }) => form['refresh_token'] ?? [])
    expect(first).not.toBe(second)
    expect(provider.grants.at(-1)).toMatchObject({ did, refreshes: 2, revoked: false })
    await session.signOut()
    expect(provider.grants.at(-1)).toMatchObject({ did, revoked: true })
  })

  test('knows a client by its key, and binds its grants to that key', async () => {
    const { did } = provider.addAccount({ handle: 'keys.test' })
    const keys = await Promise.all(['one', 'two'].map((kid) => JoseKey.generate(['ES256'], kid)))
    const metadata: OAuthClientMetadataInput = {
      client_id: 'https://latchkey.example/client.json',
      redirect_uris: ['https://latchkey.example/callback'],
      scope: SCOPE,
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'ES256',
      dpop_bound_access_tokens: true,
      jwks_uri: 'https://latchkey.example/jwks.json',
    }
    const client = buildClient({ metadata, keyset: keys })
    const ours = { client_id: client.clientMetadata.client_id, redirect_uris: metadata.redirect_uris, scope: SCOPE }
    expect(await failure(client.authorize('keys.test'))).toContain('invalid_client')
    provider.trust({ ...ours, jwks: client.jwks })
    provider.behave({ demandNonce: true })
    await roundTrip(client, 'keys.test')
    expect(provider.grants.at(-1)).toMatchObject({ did, keyId: 'one', clientId: ours.client_id })
    provider.trust({ ...ours, jwks: { keys: client.jwks.keys.slice(1) } })
    expect(await failure(client.restore(did, true))).toContain('invalid_client')
  })
})

describe('a nonce', () => {
  test('is demanded at each endpoint, and the library brings it', async () => {
    provider.addAccount({ handle: 'nonce.test' })
    provider.behave({ demandNonce: true })
    const client = buildClient()
    const session = await roundTrip(client, 'nonce.test')
    expect(provider.count('par')).toBe(2)
    provider.behave({ demandNonce: true })
    await client.restore(session.did, true)
    expect(provider.count('token')).toBe(3)
  })
})

describe('what the library refuses', () => {
  test.each([
    ['another issuer in the redirect', { wrongIss: true }, 'Issuer mismatch'],
    ['no issuer in the redirect', { noIss: true }, 'iss missing'],
    ['a person who denies', { deny: true }, 'The person did not agree'],
    ['an answer without scope', { noScope: true }, 'scope'],
    ['an answer without `atproto`', { scope: 'transition:generic' }, 'Invalid ATProto OAuth scope'],
    ['a token endpoint that fails', { token: { status: 500 } }, 'server_error'],
    ['a token endpoint that hangs up', { token: 'reset' }, 'fetch failed'],
  ] as const)('%s', async (_title, behaviour, message) => {
    provider.addAccount({ handle: 'refused.test' })
    const client = buildClient()
    const authUrl = await client.authorize('refused.test')
    provider.behave(behaviour)
    const location = await provider.follow(authUrl)
    expect(await failure(client.callback(new URL(location).searchParams))).toContain(message)
  })

  test('a DID of another PDS, and gives the tokens back', async () => {
    provider.addAccount({ handle: 'liar.test' })
    const victim = provider.addAccount({ handle: 'victim.test', pds: provider.elsewhere })
    provider.behave({ wrongSub: victim.did })
    expect(await failure(roundTrip(buildClient(), 'liar.test'))).toContain('Issuer mismatch')
    expect(provider.grants.at(-1)?.revoked).toBe(true)
  })

  test('a handle that the DID document does not name', async () => {
    const account = provider.addAccount({ handle: 'squatter.test' })
    account.claims = 'other.test'
    expect(await failure(buildClient().authorize('squatter.test'))).toContain('does not include the handle')
  })

  test.each([
    ['redirect', 'metadata', 'Unexpected status code 302'],
    ['reset', 'metadata', 'fetch failed'],
    [{ status: 503 }, 'resource', 'Unexpected status code 503'],
  ] as const)('%j of %s', async (fault, endpoint, message) => {
    provider.addAccount({ handle: 'fetched.test' })
    provider.behave({ [endpoint]: fault })
    expect(await failure(buildClient().authorize('fetched.test'))).toContain(message)
  })
})

describe('what the library does not refuse', () => {
  test('another account than was hinted at, and less scope than was asked for', async () => {
    provider.addAccount({ handle: 'hinted.test' })
    const other = provider.addAccount({ handle: 'uninvited.test' })
    provider.behave({ otherAccount: other.did, scope: 'atproto' })
    const session = await roundTrip(buildClient(), 'hinted.test')
    expect(session.did).toBe(other.did)
    expect((await session.getTokenInfo()).scope).toBe('atproto')
  })

  test('an answer of megabytes', async () => {
    provider.addAccount({ handle: 'huge.test' })
    provider.behave({ metadata: 'huge' })
    await roundTrip(buildClient(), 'huge.test')
  })
})

describe('a refresh', () => {
  test('whose answer is lost has spent its token: the next try ends the grant', async () => {
    const { did } = provider.addAccount({ handle: 'lost.test' })
    const client = buildClient()
    await roundTrip(client, 'lost.test')
    provider.behave({ token: 'lose' })
    expect(await failure(client.restore(did, true))).toContain('fetch failed')
    expect(provider.grants.at(-1)).toMatchObject({ refreshes: 1, revoked: false })
    provider.behave({})
    expect(await failure(client.restore(did, true))).toContain('the grant has ended')
    expect(provider.grants.at(-1)?.revoked).toBe(true)
  })

  test('may be refused as the test demands', async () => {
    const { did } = provider.addAccount({ handle: 'dead.test' })
    const client = buildClient()
    await roundTrip(client, 'dead.test')
    provider.behave({ refreshInvalid: true })
    expect(await failure(client.restore(did, true))).toContain('as the test demands')
  })

  test('waits as long as the provider does', async () => {
    const { did } = provider.addAccount({ handle: 'slow.test' })
    const client = buildClient()
    await roundTrip(client, 'slow.test')
    provider.behave({ token: { slow: 300 } })
    const started = performance.now()
    await client.restore(did, true)
    expect(performance.now() - started).toBeGreaterThan(290)
  })

  test('of a provider that never answers is given up with the provider', async () => {
    const { did } = provider.addAccount({ handle: 'hung.test' })
    const own = await startProvider()
    own.behave({ did: 'hang' })
    const asked = fetch(`${own.url}/${did}`)
    await expect.poll(() => own.count('did')).toBe(1)
    await own.stop()
    expect(await failure(asked)).toContain('fetch failed')
  })
})
