import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { connect as connectOverTls, type SecureContext } from 'node:tls'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { createCrowd } from '../../server/lan/crowd.ts'
import { createDoor, type Door } from '../../server/lan/door.ts'
import { contextOf } from '../../server/lan/doors.ts'
import { issueAuthority, issueLeaf } from '../../server/lan/issue.ts'

const GREETING = 300

let context: SecureContext
beforeAll(async () => {
  const span = { from: Date.now(), until: Date.now() + 3_600_000 }
  const authority = await issueAuthority('door', { names: ['door.local'], networks: [] }, '01', span)
  context = contextOf(await issueLeaf(authority, ['door.local'], '02', span))
})

const bodies: number[] = []
let tls: SecureContext | undefined
let door: Door
let port: number
let http: ReturnType<typeof createServer>
beforeEach(async () => {
  tls = context
  http = createServer({ headersTimeout: GREETING, requestTimeout: GREETING, connectionsCheckingInterval: 50 }, answer)
  http.emit('listening')
  door = createDoor({
    take: (socket: Socket) => void http.emit('connection', socket),
    tls: () => tls,
    crowd: createCrowd({ proxies: [] }),
    longestGreeting: GREETING,
  })
  port = await door.listen(0, '127.0.0.1')
})
afterEach(async () => {
  door.cutOff()
  await door.close()
  http.close()
})

function answer(request: IncomingMessage, response: { end(text: string): void }): void {
  let length = 0
  request.on('data', (part: Buffer) => (length += part.length))
  request.on('end', () => {
    bodies.push(length)
    response.end('encrypted' in request.socket ? 'over TLS' : 'plain')
  })
}

function open(secure: boolean): Promise<Socket> {
  const to = { port, host: '127.0.0.1' }
  const socket = secure ? connectOverTls({ ...to, rejectUnauthorized: false }) : connect(to)
  return once(socket, secure ? 'secureConnect' : 'connect').then(() => socket)
}

async function heard(socket: Socket, sent: string | Buffer = ''): Promise<string> {
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', () => {})
  if (sent.length > 0) socket.write(sent)
  await once(socket, 'close')
  return Buffer.concat(parts).toString()
}

const GET = 'GET / HTTP/1.1\r\nHost: door\r\nConnection: close\r\n\r\n'

test.each([
  ['plain', false],
  ['over TLS', true],
])('a request is taken on the same port: %s', async (how, secure) => {
  expect(await heard(await open(secure), GET)).toContain(how)
})

test.each([
  ['plain', false],
  ['over TLS', true],
])('a large body that comes with the first bytes is whole: %s', async (how, secure) => {
  const body = Buffer.alloc(500_000, 'x')
  const head = `POST / HTTP/1.1\r\nHost: door\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`
  expect(await heard(await open(secure), Buffer.concat([Buffer.from(head), body]))).toContain(how)
  expect(bodies.at(-1)).toBe(body.length)
})

test('a request that comes byte by byte is understood', async () => {
  const socket = await open(false)
  const answered = heard(socket)
  for (const byte of GET) socket.write(byte)
  expect(await answered).toContain('plain')
})

test.each([
  ['nothing', ''],
  ['the first byte of a handshake', '\x16'],
  ['the beginning of a handshake', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['half a request', 'GET / HTTP/1.1\r\nHos'],
])('who sends %s and then waits is cut off', async (_what, bytes) => {
  const started = Date.now()
  await heard(await open(false), bytes)
  expect(Date.now() - started).toBeLessThan(10 * GREETING)
})

test('a handshake in drops is cut off as well, however often one falls', async () => {
  const socket = await open(false)
  const gone = heard(socket)
  socket.write('\x16\x03\x01\x02\x00')
  const drops = setInterval(() => socket.write('\x01'), GREETING / 5)
  await gone
  clearInterval(drops)
})

test('who is slow after the handshake is cut off like everybody else', async () => {
  expect(await heard(await open(true), 'GET / HTTP/1.1\r\nHos')).toContain('408')
})

test('what is neither TLS nor HTTP is refused', async () => {
  expect(await heard(await open(false), `\x16${'x'.repeat(300)}`)).not.toContain('200')
  expect(await heard(await open(false), '\x00\x01\x02\x03\r\n\r\n')).toContain('400')
})

test('a new certificate counts for new connections; without one a handshake gets nowhere', async () => {
  const before = await open(true)
  tls = undefined
  expect(await heard(await open(false), '\x16\x03\x01\x00\x05hello')).toContain('400')
  expect(await heard(before, GET)).toContain('over TLS')
})

test('closing takes no more and waits for those inside', async () => {
  const inside = await open(true)
  let closed = false
  const closing = door.close().then(() => (closed = true))
  await expect(open(false)).rejects.toThrow('ECONNREFUSED')
  expect(closed).toBe(false)
  expect(await heard(inside, GET)).toContain('over TLS')
  await closing
})

test('a second handshake within a connection is refused, however cheap it is for the client', async () => {
  const to = { port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' as const }
  const socket = connectOverTls(to)
  await once(socket, 'secureConnect')
  const outcome = await new Promise<string>((resolve) => {
    socket.on('error', (error) => resolve(error.message))
    socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error ? error.message : 'done'))
  })
  expect(outcome).not.toBe('done')
  expect(await heard(await open(true), GET)).toContain('over TLS')
})
