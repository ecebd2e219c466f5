import type { RequestListener, Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Config } from './config.ts'
import { isLoopbackHost } from './http/client-address.ts'
import type { Door } from './lan/door.ts'

/** The address cannot be listened on; its message says what to do. */
export class ListenError extends Error {}

/** Not `import`: as an ES module it reads all its exports, and one of them loads a whole HTTP client (14 MB, 80 ms). */
const { createServer } = process.getBuiltinModule('node:http')

/** Clients that send their headers or body more slowly than this, in milliseconds, are cut off. */
const SLOWEST_REQUEST = 30_000

export interface Listening {
  http: Server
  url: string
  /** The one that the system chose, where it was left to it. */
  port: number
  /** Takes a connection from another listener. */
  take: (socket: Socket) => void
  /** Takes no more connections; resolves when the last one is gone. */
  close(): Promise<void>
  cutOff(): void
}

/**
 * Listens where the config says: on loopback plain HTTP, elsewhere whatever comes, because TLS may be switched on at any
 * time. Rejects with `ListenError` when the port is taken or the address is not ours.
 */
export async function listen(
  answer: RequestListener,
  config: Pick<Config, 'host' | 'port' | 'publicUrl' | 'trustedProxies'>,
  tls: () => SecureContext | undefined,
): Promise<Listening> {
  const http = createServer({ requestTimeout: SLOWEST_REQUEST, headersTimeout: SLOWEST_REQUEST }, answer)
  const take = (socket: Socket) => void http.emit('connection', socket)
  const door = isLoopbackHost(config.host) ? undefined : await createDoorFor(http, take, tls, config.trustedProxies)
  const port = await (door ? door.listen(config.port, config.host) : listenPlainly(http, config)).catch(
    (error: unknown) => {
      throw new ListenError(explain(error, config.host, config.port), { cause: error })
    },
  )
  return {
    http,
    url: config.publicUrl ?? urlOf(config.host, port),
    port,
    take,
    async close() {
      await Promise.all([new Promise<void>((resolve) => http.close(() => resolve())), door?.close()])
    },
    cutOff() {
      door?.cutOff()
      http.closeAllConnections()
    },
  }
}

/** A door in front of an HTTP server that does not listen itself. */
async function createDoorFor(
  http: Server,
  take: Listening['take'],
  tls: () => SecureContext | undefined,
  proxies: readonly string[],
): Promise<Door> {
  const [{ createDoor }, { createCrowd }] = await Promise.all([import('./lan/door.ts'), import('./lan/crowd.ts')])
  // From here on it watches how slowly requests come in; else it would not, as it never listens.
  http.emit('listening')
  return createDoor({ take, tls, crowd: createCrowd({ proxies }) })
}

function listenPlainly(http: Server, { host, port }: Pick<Config, 'host' | 'port'>): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, () => {
      const address = http.address()
      resolve(isAddress(address) ? address.port : port)
    })
  })
}

function urlOf(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

function explain(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program. Choose another with --port, or 0 for any free one.`
  if (code === 'EACCES') return `Port ${port} may not be used by this account. Choose one above 1023 with --port.`
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine. Choose another with --host.`
  return `Cannot listen on ${host}, port ${port}: ${error instanceof Error ? error.message : String(error)}`
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
