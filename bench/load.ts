import { connect, type Socket } from 'node:net'
import type { Child } from './child.ts'

/** A request as bytes: the same for every server under test. */
export function requestOf(url: URL, { method = 'GET', path, headers = {}, body }: RequestParts): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${url.host}`, 'Accept: application/json']
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`)
}

export interface RequestParts {
  method?: string
  path: string
  headers?: Record<string, string>
  body?: string
}

/** One connection that is kept open and carries one request at a time. */
export interface Connection {
  /** Sends a request and answers the status and body of its response. */
  send: (request: Buffer) => Promise<{ status: number; text: string }>
  close: () => void
}

/** What happened under load. */
export interface Loaded {
  /** Answers with a status of 200. */
  answered: number
  /** Any others, by status. */
  refused: Map<number, number>
  seconds: number
}

/** Connections for one stretch of load: a server closes those that rest. */
export function openConnections(child: Pick<Child, 'url'>, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(child)))
}

export async function openConnection({ url }: Pick<Child, 'url'>): Promise<Connection> {
  const socket = connect(Number(url.port), url.hostname)
  socket.setNoDelay(true)
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  return createConnection(socket)
}

function createConnection(socket: Socket): Connection {
  let received = ''
  let waiting: PromiseWithResolvers<{ status: number; text: string }> | undefined
  let lost: Error | undefined
  socket.setEncoding('latin1')
  socket.on('data', (text: string) => {
    received += text
    const end = endOf(received)
    if (end === undefined) return
    const answer = {
      status: Number(received.slice(9, 12)),
      text: received.slice(received.indexOf('\r\n\r\n') + 4, end),
    }
    received = received.slice(end)
    waiting?.resolve(answer)
  })
  socket.on('error', (error) => (lost = error))
  socket.on('close', () => {
    lost ??= new Error('The server closed the connection')
    waiting?.reject(lost)
  })
  return {
    async send(request) {
      if (lost) throw lost
      waiting = Promise.withResolvers()
      socket.write(request)
      return waiting.promise
    },
    close: () => socket.destroy(),
  }
}

/** Where the first response ends, once it is all there. Lengths are those of the bytes, as latin1 has one a character. */
function endOf(received: string): number | undefined {
  const head = received.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = /\r\ncontent-length: *(\d+)/i.exec(received.slice(0, head))?.[1]
  if (length !== undefined) {
    const end = head + 4 + Number(length)
    return received.length >= end ? end : undefined
  }
  const last = received.indexOf('\r\n0\r\n\r\n', head)
  return last < 0 ? undefined : last + 7
}

/** Keeps every connection busy for a while with requests in turn. */
export async function load(
  connections: readonly Connection[],
  next: () => Buffer,
  milliseconds: number,
): Promise<Loaded> {
  const refused = new Map<number, number>()
  const started = performance.now()
  const ending = started + milliseconds
  let answered = 0
  const keepBusy = async (connection: Connection) => {
    while (performance.now() < ending) {
      const { status } = await connection.send(next())
      if (status === 200) answered += 1
      else refused.set(status, (refused.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(connections.map(keepBusy))
  return { answered, refused, seconds: (performance.now() - started) / 1000 }
}

/** A load that must not be refused: a benchmark of error answers would be worth nothing. */
export function expectNoRefusal(name: string, { refused, answered }: Loaded): void {
  if (refused.size === 0 && answered > 0) return
  const which = [...refused].map(([status, count]) => `${count} × ${status}`).join(', ')
  throw new Error(`${name}: refused ${which || 'nothing, and answered nothing'}`)
}
