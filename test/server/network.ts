import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { type PeerCertificate, TLSSocket } from 'node:tls'
import type { LanAddress } from '../../server/lan/addresses.ts'
import type { AnnounceNews, Announced } from '../../server/lan/announce.ts'
import type { LanOutside } from '../../server/lan/lan.ts'
import { buildClock, startTestServer, type TestServer, type TestServerOptions } from '../helpers/server.ts'

/** Addresses of loopback stand for those of a network; each test file has its own, because files run at once. */
export const at = (address: string, network = `${address}/32`): LanAddress => ({ address, network, through: 'eth0' })

export interface TestNetwork {
  /** What the machine has now; tests change it. */
  addresses: LanAddress[]
  /** What was announced, one after the other; `undefined` is a goodbye. */
  announced: (Announced | undefined)[]
  /** What comes of an announcement; undefined: nothing yet. */
  answer: (what: Announced) => AnnounceNews | undefined
  /** What comes of the last one later. */
  tell: (news: AnnounceNews) => void
  outside: LanOutside
}

export function buildNetwork(...addresses: LanAddress[]): TestNetwork {
  const network: TestNetwork = {
    addresses,
    announced: [],
    answer: ({ names }) => ({ name: `${names[0]}.local` }),
    tell: () => undefined,
    outside: {
      hostname: 'Desk-7',
      addresses: () => network.addresses,
      announce: (what, tell) => {
        network.announced.push(what)
        network.tell = tell
        const news = network.answer(what)
        if (news) tell(news)
        return {
          stop: async () => {
            network.announced.push(undefined)
          },
        }
      },
    },
  }
  return network
}

/** A server in a network; its clock begins now, because TLS clients look at their own. */
export function startInNetwork(network: TestNetwork, options: TestServerOptions = {}): Promise<TestServer> {
  return startTestServer({ clock: buildClock(Date.now()), ...options, lan: network.outside })
}

export const portOf = ({ url }: { url: string }): number => Number(new URL(url).port)

/** The certificate authority as a device would have installed it. */
export async function authorityOf({ directory }: TestServer): Promise<string> {
  const text = await readFile(join(directory, 'tls/authority.pem'), 'utf8')
  return text.slice(text.indexOf('-----BEGIN CERTIFICATE-----'))
}

export interface TlsAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  certificate: PeerCertificate
}

export interface TlsQuestion {
  address: string
  /** What the client calls it, in the handshake and in `Host`; absent: by its address. */
  name?: string
  /** `Host`, where it differs from that. */
  hostHeader?: string
  port: number
  ca: string | undefined
  method?: string
  path?: string
  headers?: Record<string, string>
  body?: object
}

/** One request over TLS. Rejects when the certificate is not to be trusted for this name. */
export function askOverTls(question: TlsQuestion): Promise<TlsAnswer> {
  const { address, name, port, ca, method = 'GET', path = '/api/health', headers, body } = question
  const Host = question.hostHeader ?? `${name ?? address}:${port}`
  const type = body === undefined ? {} : { 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: address, port, method, path, ca, agent: false },
        // Left out, it would be what stands in `Host`.
        servername: name ?? '',
        headers: { Host, ...type, ...headers },
      },
      (answer) => {
        const { socket } = answer
        if (!(socket instanceof TLSSocket)) throw new Error('not over TLS')
        const certificate = socket.getPeerCertificate()
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            headers: answer.headers,
            body: Buffer.concat(parts).toString(),
            certificate,
          }),
        )
      },
    )
    asked.on('error', reject)
    asked.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

/** A program that has this port already. */
export async function occupy(port: number, host: string): Promise<Server> {
  const server = createServer()
  server.listen(port, host)
  await once(server, 'listening')
  return server
}
