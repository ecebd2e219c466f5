// An ATProto provider that misbehaves to order, on 127.0.0.1: handle resolver, PLC directory, PDS and authorization server
// in one. It is strict where a real one is (PAR, PKCE, DPoP, client keys, tokens used once), has no pages (whoever opens
// the authorization address has consented), and does what `behave` says. The real thing is in test/atproto.
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Asked, Refusal } from './provider/answer.ts'
import { createAuthorization } from './provider/authorization.ts'
import type { Behaviour, Endpoint } from './provider/behaviour.ts'
import { type Account, createDirectory, resourceMetadata, serverMetadata } from './provider/directory.ts'
import type { Grant } from './provider/grants.ts'
import type { Client } from './provider/proofs.ts'

export interface ProviderRequest {
  endpoint: Endpoint
  origin: string
  method: string
  /** Path and query. */
  path: string
  form: Record<string, string>
  headers: IncomingHttpHeaders
}

export interface Provider {
  /** Handle resolver, PLC directory, PDS and issuer: `http://127.0.0.1:port`, without a slash. */
  url: string
  /** A second PDS with an issuer of its own; its accounts are in the same directory. */
  elsewhere: string
  /** At `url`, unless another `pds` is said. */
  addAccount(account: { handle: string; pds?: string }): Account
  /** The account of a handle or DID, such as one that `prompt=create` has made. */
  account(name: string): Account | undefined
  /** Introduces a client that is not a loopback one, since nothing is fetched from it: its metadata, and its keys. */
  trust(client: Client): void
  /** From now on; what is not said is as it should be. `behave({})` makes it good again. */
  behave(behaviour: Behaviour): void
  /** Every request so far, in order; a test may empty it. */
  requests: ProviderRequest[]
  count(endpoint: Endpoint): number
  /** Every grant so far. */
  grants: readonly Grant[]
  /** Opens an authorization address as a browser does whose person agrees; answers where it is sent. */
  follow(authUrl: string | URL): Promise<string>
  stop(): Promise<void>
}

const PADDING = ' '.repeat(8 * 1024 * 1024)

export async function startProvider(): Promise<Provider> {
  let behaviour: Behaviour = {}
  const directory = createDirectory()
  const requests: ProviderRequest[] = []
  const authorization = createAuthorization({
    directory,
    behaviour: () => behaviour,
    otherThan: (origin) => (origin === url ? elsewhere : url),
  })
  const routes: Record<Endpoint, (asked: Asked) => Answer> = {
    handle: directory.resolveHandle,
    did: directory.didDocument,
    resource: resourceMetadata,
    metadata: serverMetadata,
    par: authorization.par,
    authorize: authorization.authorize,
    token: authorization.token,
    revoke: authorization.revoke,
    other: () => ({ status: 404, body: { error: 'NotFound', message: 'Not here' } }),
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = await read(request)
    const endpoint = endpointOf(asked)
    const { origin, method, form, headers } = asked
    requests.push({ endpoint, origin, method, path: `${asked.url.pathname}${asked.url.search}`, form, headers })
    const fault = behaviour[endpoint]
    if (fault === 'hang') return
    if (fault === 'reset') return void response.destroy()
    if (fault === 'redirect') {
      const there = `${origin === url ? elsewhere : url}${asked.url.pathname}${asked.url.search}`
      return send(response, { status: 302, headers: { Location: there } })
    }
    if (typeof fault === 'object' && 'status' in fault)
      return send(response, { status: fault.status, body: { error: 'server_error', error_description: 'to order' } })
    if (typeof fault === 'object') await sleep(fault.slow)
    const answer = answerOf(() => routes[endpoint](asked))
    if (fault === 'lose') return void response.destroy()
    send(response, answer, fault === 'huge' ? PADDING : '')
  }

  const here = await listen(serve)
  const there = await listen(serve)
  const url = here.url
  const elsewhere = there.url

  return {
    url,
    elsewhere,
    requests,
    grants: authorization.grants,
    addAccount: ({ handle, pds = url }) => directory.add(handle, pds),
    account: (name) => directory.find(name),
    trust: (client) => void authorization.clients.set(client.client_id, client),
    behave(next) {
      behaviour = next
      authorization.renewNonce()
    },
    count: (endpoint) => requests.filter((request) => request.endpoint === endpoint).length,
    follow,
    async stop() {
      await Promise.all([here.stop(), there.stop()])
    },
  }
}

async function follow(authUrl: string | URL): Promise<string> {
  const answer = await fetch(authUrl, { redirect: 'manual' })
  const location = answer.headers.get('Location')
  const text = await answer.text()
  if (location === null) throw new Error(`No redirect from the provider: ${answer.status} ${text}`)
  return location
}

async function listen(serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>) {
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      process.stderr.write(`The provider of the test failed: ${String(error)}\n`)
      response.destroy()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The provider has no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    async stop() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(Buffer.from(chunk))
  const origin = `http://${request.headers.host ?? ''}`
  const url = new URL(request.url ?? '/', origin)
  const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
  return { origin, method: request.method ?? '', url, headers: request.headers, form }
}

function endpointOf({ method, url }: Asked): Endpoint {
  if (method === 'GET' && /^\/did(:|%3A)plc/i.test(url.pathname)) return 'did'
  const named = new Map<string, Endpoint>([
    ['GET /xrpc/com.atproto.identity.resolveHandle', 'handle'],
    ['GET /.well-known/oauth-protected-resource', 'resource'],
    ['GET /.well-known/oauth-authorization-server', 'metadata'],
    ['POST /oauth/par', 'par'],
    ['GET /oauth/authorize', 'authorize'],
    ['POST /oauth/token', 'token'],
    ['POST /oauth/revoke', 'revoke'],
  ])
  return named.get(`${method} ${url.pathname}`) ?? 'other'
}

function answerOf(work: () => Answer): Answer {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) return error.answer
    throw error
  }
}

function send(response: ServerResponse, { status, headers, body }: Answer, padding = ''): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', ...headers })
  response.end(body === undefined ? undefined : JSON.stringify(body) + padding)
}
