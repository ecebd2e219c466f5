// The PDS as it is, without Latchkey: the library signs in at it through the PDS's own pages.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { NodeSavedSessionStore } from '@atproto/oauth-client-node'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildLoopbackClient } from '../helpers/loopback-client.ts'
import { type Network, startNetwork } from './network.ts'
import { consent, deny, scopesAsked, signUp } from './provider-pages.ts'
import { codesIn, providerSecretsIn } from './tap.ts'

const password = 'correct horse staple'
let network: Network
let browser: Browser
let landing: Server
let context: BrowserContext
let page: Page
let redirectUri: string

beforeAll(async () => {
  ;[network, browser] = await Promise.all([startNetwork(), launchChromium()])
  await network.createAccount('ann.test', password)
  landing = createServer((_request, response) => response.end('landed')).listen(0, '127.0.0.1')
  await once(landing, 'listening')
  const address = landing.address()
  redirectUri = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/callback`
})
beforeEach(async () => {
  context = await browser.newContext({ locale: 'en-US' })
  page = await context.newPage()
})
afterEach(() => context.close())
afterAll(async () => {
  landing?.close()
  landing?.closeAllConnections()
  await Promise.all([browser?.close(), network?.stop()])
})

const buildClient = (scope = 'atproto transition:generic', sessionStore?: NodeSavedSessionStore) =>
  buildLoopbackClient({
    scope,
    redirectUri,
    handleResolver: network.pdsUrl,
    plcDirectoryUrl: network.plcUrl,
    ...(sessionStore && { sessionStore }),
  })

const answer = () => new URL(page.url()).searchParams

test('a person signs in and agrees; the grant refreshes and ends', async () => {
  const client = buildClient()
  await page.goto((await client.authorize('ann.test')).href)
  await consent(page, { password })
  const { session } = await client.callback(answer())
  expect(await network.resolve('ann.test')).toBe(session.did)
  expect((await session.getTokenInfo()).scope).toBe('atproto transition:generic')
  const refreshed = await client.restore(session.did, true)
  await refreshed.signOut()
  await expect(client.restore(session.did)).rejects.toThrow()
})

test('the test knows the secrets of a provider when it sees them', async () => {
  let kept: unknown
  const sessionStore = {
    get: () => undefined,
    set: (_did: string, session: unknown) => void (kept = session),
    del: () => undefined,
  }
  const client = buildClient('atproto', sessionStore)
  await page.goto((await client.authorize('ann.test')).href)
  await consent(page, { password })
  expect(codesIn(page.url())).toHaveLength(1)
  await client.callback(answer())
  // Access token, refresh token, and the private key they are bound to.
  expect(providerSecretsIn(JSON.stringify(kept))).toHaveLength(3)
})

test('a person makes an account', async () => {
  const client = buildClient()
  await page.goto((await client.authorize(network.pdsUrl, { prompt: 'create' })).href)
  await signUp(page, { handle: 'carla.test', email: 'carla@carla.example', password })
  const { session } = await client.callback(answer())
  expect(await network.resolve('carla.test')).toBe(session.did)
})

test.each([
  ['before he signs in', {}],
  ['when he sees what is asked for', { password }],
])('a person denies %s', async (_when, options) => {
  const client = buildClient()
  await page.goto((await client.authorize('ann.test')).href)
  await deny(page, options)
  expect(answer().get('error')).toBe('access_denied')
  await expect(client.callback(answer())).rejects.toThrow(/rejected|denied/i)
})

test('what is asked for shows', async () => {
  await page.goto((await buildClient().authorize('ann.test')).href)
  const more = await scopesAsked(page, password)
  await page.goto((await buildClient('atproto').authorize('ann.test')).href)
  const less = await scopesAsked(page, password)
  expect(more.length).toBeGreaterThan(less.length)
})

test('a wide grant and a narrow one may stand side by side', async () => {
  const [wide, narrow] = [buildClient(), buildClient('atproto')]
  for (const client of [wide, narrow]) {
    await page.goto((await client.authorize('ann.test')).href)
    await consent(page, { password })
    await client.callback(answer())
  }
  const did = (await network.resolve('ann.test')) ?? ''
  expect((await (await wide.restore(did, true)).getTokenInfo()).scope).toBe('atproto transition:generic')
  expect((await (await narrow.restore(did, true)).getTokenInfo()).scope).toBe('atproto')
})
