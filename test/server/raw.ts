import { once } from 'node:events'
import { connect } from 'node:net'

export interface RawAnswer {
  status: number
  head: string
  body: string
}

/** Sends these very bytes and reads until the server closes: for requests that no client would make. */
export async function sendRaw(url: string, request: string | Buffer): Promise<RawAnswer> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.on('error', () => {})
  socket.write(request)
  await once(socket, 'close')
  const text = Buffer.concat(parts).toString('utf8')
  const [head = '', body = ''] = text.split('\r\n\r\n', 2)
  return { status: Number(head.split(' ')[1] ?? 0), head, body }
}

/** One request with these headers; the server closes afterwards. */
export function sendRequest(
  url: string,
  line: string,
  headers: string[] = [],
  body: string | Buffer = '',
): Promise<RawAnswer> {
  const host = headers.some((header) => /^host:/i.test(header)) ? [] : [`Host: ${new URL(url).host}`]
  const head = [`${line} HTTP/1.1`, ...host, 'Connection: close', ...headers, '', ''].join('\r\n')
  return sendRaw(url, Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)]))
}

/** A POST of JSON bytes as they are. */
export function postBytes(
  url: string,
  path: string,
  body: string | Buffer,
  headers: string[] = [],
): Promise<RawAnswer> {
  const length = `Content-Length: ${Buffer.byteLength(body)}`
  return sendRequest(url, `POST ${path}`, ['Content-Type: application/json', length, ...headers], body)
}

/** The error code in an answer; `ok` for a success, `none` where there is no envelope. */
export function codeIn(body: unknown): string {
  const value: unknown = typeof body === 'string' ? parse(body) : body
  if (typeof value !== 'object' || value === null || !('status' in value)) return 'none'
  return 'error' in value ? String(value.error) : String(value.status)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
