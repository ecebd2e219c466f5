import type { RequestListener, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Config } from './config.ts'

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
}

/** Listens where the config says. Rejects with `ListenError` when the port is taken or the address is not ours. */
export async function listen(
  answer: RequestListener,
  { host, port, publicUrl }: Pick<Config, 'host' | 'port' | 'publicUrl'>,
): Promise<Listening> {
  const http = createServer({ requestTimeout: SLOWEST_REQUEST, headersTimeout: SLOWEST_REQUEST }, answer)
  await new Promise<void>((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) =>
      reject(new ListenError(explain(error, host, port), { cause: error })),
    )
    http.listen(port, host, resolve)
  })
  const address = http.address()
  const taken = isAddress(address) ? address.port : port
  return { http, url: publicUrl ?? urlOf(host, taken), port: taken }
}

function urlOf(host: string, port: number): string {
  const everywhere = host === '0.0.0.0' || host === '::'
  const name = everywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `http://${name}:${port}`
}

function explain(error: NodeJS.ErrnoException, host: string, port: number): string {
  if (error.code === 'EADDRINUSE')
    return `Port ${port} on ${host} is taken by another program. Choose another with --port, or 0 for any free one.`
  if (error.code === 'EACCES') return `Port ${port} may not be used by this account. Choose one above 1023 with --port.`
  if (error.code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine. Choose another with --host.`
  return `Cannot listen on ${host}, port ${port}: ${error.message}`
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
