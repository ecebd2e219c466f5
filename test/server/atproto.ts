import { expect } from 'vitest'
import type { Provider } from '../helpers/hostile-provider.ts'
import { startProvider } from '../helpers/hostile-provider.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, dataOf, type Visitor } from '../helpers/visitor.ts'

/** A server whose ATProto providers are all at the hostile one, and its first superuser. */
export interface AtprotoWorld extends Surroundings {
  server: TestServer
  end(): Promise<void>
}

export interface Surroundings {
  provider: Provider
  server: { url: string }
  admin: Visitor
}

export async function startWorld(options: TestServerOptions = {}): Promise<AtprotoWorld> {
  const provider = await startProvider()
  const server = await startTestServer({ ...options, config: { ...atprotoConfig(provider), ...options.config } })
  const admin = await buildSuperuser(server)
  return {
    provider,
    server,
    admin,
    async end() {
      await server.end()
      await provider.stop()
    },
  }
}

export function atprotoConfig(provider: Provider) {
  return { atprotoPlc: provider.url, atprotoResolver: provider.url, atprotoPrivate: true }
}

/** Opens `start` as a browser does, goes where it leads, and answers where the provider sends it back to. */
export async function startAt(world: Pick<AtprotoWorld, 'provider'>, visitor: Visitor, query: Record<string, string>) {
  const { status, headers, data } = await visitor.http.get('/api/auth/start', { params: query })
  if (status !== 302) throw new Error(`start answered ${status} ${JSON.stringify(data)} ${String(headers['location'])}`)
  return world.provider.follow(String(headers['location']))
}

/** Opens the callback address; answers the page that it leads to, with its fragment. */
export async function comeBack(
  visitor: Visitor,
  location: string,
): Promise<{ path: string; fragment: URLSearchParams }> {
  const { pathname, search } = new URL(location)
  const answer = await visitor.http.get(`${pathname}${search}`)
  if (answer.status !== 303) throw new Error(`callback answered ${answer.status} ${JSON.stringify(answer.data)}`)
  const to = new URL(String(answer.headers['location']), 'http://here.test')
  return { path: to.pathname, fragment: new URLSearchParams(to.hash.slice(1)) }
}

/** The exchange token at the end of a flow; a refusal fails the test with its code. */
export async function exchangeTokenOf(visitor: Visitor, location: string): Promise<string> {
  const { fragment } = await comeBack(visitor, location)
  const token = fragment.get('exchange_token')
  if (token === null) throw new Error(`The flow ended with ${fragment.get('auth_error') ?? 'nothing'}`)
  return token
}

/** The code that a flow ends with, or `ok`. */
export async function endOf(visitor: Visitor, location: string): Promise<string> {
  const { fragment } = await comeBack(visitor, location)
  return fragment.get('auth_error') ?? (fragment.has('exchange_token') ? 'ok' : 'nothing')
}

/** Signs in by handle, the whole way; answers what the exchange answered. */
export async function signInAs(world: Surroundings, handle: string, visitor = buildVisitor(world.server.url)) {
  const exchange_token = await exchangeTokenOf(visitor, await startAt(world, visitor, { handle }))
  const exchanged = await visitor.client.auth.exchange({ body: { exchange_token } })
  if (!exchanged.ok) throw new Error(`The exchange was refused: ${exchanged.error.code}`)
  return { visitor, ...exchanged.data }
}

/** Goes on from an address that a call answered. */
export async function goOn(world: Pick<AtprotoWorld, 'provider'>, visitor: Visitor, auth_url: string) {
  return exchangeTokenOf(visitor, await world.provider.follow(auth_url))
}

/** A user whom an administrator linked to a new account of this handle. */
export async function linkedUser(
  { provider, admin }: Surroundings,
  handle: string,
  fields: { username?: string; password?: string; superuser?: boolean } = {},
): Promise<{ user_id: number; did: string }> {
  const { did } = provider.addAccount({ handle })
  const { username = handle.replace('.test', ''), ...others } = fields
  // Entering an account wants a fresh proof, and the clock of a test moves on.
  await admin.client.auth.reauth({ body: { password: ADMIN.password } })
  const made = await admin.client.users.create({ body: { username, did, ...others } })
  if (!made.ok) throw new Error(`The user was not made: ${made.error.code}`)
  return { user_id: made.data.user_id, did }
}

/** What a server needs for `visitsOf`. */
export const TRUSTING = { trustedProxies: ['127.0.0.1'] }

/** Makes browsers on this machine that each have an address of their own, so that none uses up the pace of another. */
export function visitsOf({ url }: Pick<TestServer, 'url'>): () => Visitor {
  let last = 0
  return () => {
    last += 1
    return buildVisitor(url, { 'X-Forwarded-For': `127.0.100.${last}` })
  }
}

/** Adds a further ATProto account to this browser; answers what the exchange answered. */
export async function addAccount(world: AtprotoWorld, visitor: Visitor, handle: string) {
  const { auth_url } = dataOf(await visitor.client.auth.startAddAccount({ body: { handle } }))
  const exchange_token = await goOn(world, visitor, auth_url)
  return dataOf(await visitor.client.auth.exchange({ body: { exchange_token } }))
}

/** The session of a browser, as a header; another browser with it is that session, until its secret rotates. */
export function cookieOf(visitor: Visitor): string {
  return `latchkey_session=${visitor.cookies.get('latchkey_session') ?? ''}`
}

/** The names of the accounts of this browser, the current one with a star. */
export async function linkedIn(visitor: Visitor): Promise<string[]> {
  const { linked_accounts } = dataOf(await visitor.client.auth.me())
  return linked_accounts.map(({ username, current }) => (current ? `*${username}` : username))
}

/** What the provider was last asked for. */
export function lastAsked({ provider }: Pick<AtprotoWorld, 'provider'>): Record<string, string> {
  return provider.requests.findLast(({ endpoint }) => endpoint === 'par')?.form ?? {}
}

/** Waits until the provider has been given this many of the account's grants back. */
export async function givenBack({ provider }: Pick<AtprotoWorld, 'provider'>, did: string, count: number) {
  const revoked = () => provider.grants.filter((grant) => grant.did === did && grant.revoked).length
  await expect.poll(revoked).toBe(count)
}
