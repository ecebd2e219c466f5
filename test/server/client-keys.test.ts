import axios from 'axios'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startProvider, type Provider } from '../helpers/hostile-provider.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildVisitor, dataOf, type Visitor } from '../helpers/visitor.ts'
import { atprotoConfig, linkedUser, signInAs, type Surroundings } from './atproto.ts'

/** A server with a public address, behind a proxy that speaks TLS: a client that proves itself by a key. */

const DAY = 86_400_000
const PUBLIC = 'https://console.example.org'

let provider: Provider
let server: TestServer
let world: Surroundings
beforeAll(async () => {
  provider = await startProvider()
  const config = { ...atprotoConfig(provider), publicUrl: PUBLIC, trustedProxies: ['127.0.0.1'] }
  server = await startTestServer({ config: { ...config, port: await freePort() } })
  const admin = visit()
  const setup_token = server.setupToken ?? ''
  dataOf(await admin.client.auth.setup({ body: { setup_token, ...ADMIN, confirm_password: ADMIN.password } }))
  world = { provider, server, admin }
  await introduce()
})
afterAll(async () => {
  await server.end()
  await provider.stop()
})

let port = 0
async function freePort(): Promise<number> {
  const holder = await startProvider()
  port = Number(new URL(holder.url).port)
  await holder.stop()
  return port
}

/** A browser that reaches us by the proxy, at the public address. */
function visit(ip = '203.0.113.7'): Visitor {
  const visitor = buildVisitor(`http://127.0.0.1:${port}`)
  const headers = { Host: 'console.example.org', Origin: PUBLIC, 'X-Forwarded-For': ip, 'X-Forwarded-Proto': 'https' }
  Object.assign(visitor.http.defaults.headers, headers)
  return visitor
}

const read = async (path: string) =>
  (
    await axios.get(`http://127.0.0.1:${port}${path}`, {
      headers: { Host: 'console.example.org', 'X-Forwarded-Proto': 'https' },
    })
  ).data

/** What a provider would fetch, handed to one that fetches nothing. */
async function introduce(): Promise<string[]> {
  const { client_id, redirect_uris, scope } = await read('/oauth-client-metadata.json')
  const jwks = await read('/oauth/jwks.json')
  provider.trust({ client_id, redirect_uris, scope, jwks })
  return jwks.keys.map(({ kid }: { kid: string }) => kid)
}

test('providers can read who we are, and our public keys without their private half', async () => {
  const metadata = await read('/oauth-client-metadata.json')
  expect(metadata).toMatchObject({
    client_id: `${PUBLIC}/oauth-client-metadata.json`,
    redirect_uris: [`${PUBLIC}/api/auth/callback`],
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    dpop_bound_access_tokens: true,
    jwks_uri: `${PUBLIC}/oauth/jwks.json`,
  })
  expect(metadata.scope.split(' ')).toContain('atproto')
  const { keys } = await read('/oauth/jwks.json')
  expect(keys).toEqual([
    {
      kid: expect.any(String),
      kty: 'EC',
      crv: 'P-256',
      x: expect.any(String),
      y: expect.any(String),
      alg: 'ES256',
      use: 'sig',
    },
  ])
})

test('browsers from anywhere sign in, and the grant is bound to our key', async () => {
  await linkedUser(world, 'bob.test')
  const { visitor } = await signInAs(world, 'bob.test', visit())
  expect(dataOf(await visitor.client.auth.grant())).toMatchObject({ state: 'live', stops_working_on: null })
  const [kid] = await introduce()
  expect(provider.grants.at(-1)).toMatchObject({ clientId: `${PUBLIC}/oauth-client-metadata.json`, keyId: kid })
  expect(visitor.cookies.has('__Host-latchkey_session')).toBe(true)
  expect(dataOf(await visit().client.auth.setupStatus())).toMatchObject({
    atproto_enabled: true,
    atproto_pairing: false,
  })
})

test('a key follows another after ninety days, and a grant is renewed with the one that it was made with', async () => {
  const idle = { session_idle: 30 * (DAY / 1000) }
  dataOf(await world.admin.client.settings.change({ body: idle }))
  await linkedUser(world, 'old.test')
  server.clock.advance(85 * DAY)
  const { visitor } = await signInAs(world, 'old.test', visit('203.0.113.8'))
  const [first] = await introduce()
  server.clock.advance(6 * DAY)
  const [second, ...others] = await introduce()
  expect(others).toEqual([first])
  expect(dataOf(await visitor.client.auth.refreshGrant()).state).toBe('live')
  expect(provider.grants.at(-1)).toMatchObject({ keyId: first, refreshes: 1 })

  dataOf(await world.admin.client.auth.login({ body: ADMIN }))
  await linkedUser(world, 'young.test')
  await signInAs(world, 'young.test', visit('203.0.113.9'))
  expect(provider.grants.at(-1)).toMatchObject({ keyId: second })
})
