import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { realpath } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import type { Log } from '../log.ts'
import type { Acts } from './acts.ts'
import { findPlace, removeNotice, writeNotice } from './notice.ts'
import { Refused } from './refused.ts'
import { isVerb, type Verb, verbs } from './verbs.ts'

/** As in server/listen.ts. */
const { createServer } = process.getBuiltinModule('node:http')

const LARGEST_BODY = 64 * 1024
const SLOWEST_REQUEST = 10_000

export interface Control {
  stop(): Promise<void>
}

/**
 * Listens for the owner of the data directory: on a socket that only he can open, for requests that bring the secret of a file
 * that only he can read. It is on no network, and takes no cookies.
 */
export async function startControl(directory: string, acts: Acts, log: Log): Promise<Control> {
  const secret = randomBytes(32).toString('base64url')
  const place = await findPlace(directory)
  const http = createServer({ requestTimeout: SLOWEST_REQUEST, headersTimeout: SLOWEST_REQUEST }, (req, res) => {
    answer(req, res, { secret, acts, log }).catch((error: unknown) => {
      log.error({ err: error }, 'a command could not be answered')
      res.destroy()
    })
  })
  try {
    await listening(http, place.path)
    await place.protect()
    const real = await realpath(directory)
    await writeNotice(directory, { version: 1, path: place.path, secret, pid: process.pid, directory: real })
  } catch (error) {
    http.close()
    await place.remove()
    throw error
  }
  return {
    async stop() {
      await removeNotice(directory)
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      // Whoever is being answered asked for something that ends with the server.
      http.closeAllConnections()
      await closed
      await place.remove()
    },
  }
}

function listening(http: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(path, resolve)
  })
}

interface Inside {
  secret: string
  acts: Acts
  log: Log
}

async function answer(req: IncomingMessage, res: ServerResponse, { secret, acts, log }: Inside): Promise<void> {
  if (!brings(req, secret)) return send(res, 401, failure('UNAUTHENTICATED', 'The secret of control.json is missing.'))
  const name = req.url?.slice(1) ?? ''
  if (req.method !== 'POST' || !isVerb(name)) return send(res, 404, failure('NOT_FOUND', 'There is no such command.'))
  const body = await bodyOf(req)
  if (body === undefined) return send(res, 413, failure('PAYLOAD_TOO_LARGE', 'The request is too large.'))
  try {
    await act(name, JSON.parse(body), acts, res)
  } catch (error) {
    if (res.headersSent) throw error
    if (error instanceof Refused) return send(res, 409, failure(error.code, error.message))
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      return send(res, 400, failure('INVALID_JSON_SCHEMA', textOf(error)))
    log.error({ err: error, verb: name }, 'a command failed')
    send(res, 500, failure('INTERNAL', error instanceof Error ? error.message : String(error)))
  }
}

async function act(verb: Verb, body: unknown, acts: Acts, res: ServerResponse): Promise<void> {
  switch (verb) {
    case 'backup': {
      const { bytes, stream } = await acts.backup(verbs.backup.input.parse(body))
      res.writeHead(200, { 'Content-Type': 'application/x-tar', 'Content-Length': bytes })
      return pipeline(stream, res)
    }
    case 'startup-token':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
    case 'user-create':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
    case 'user-reset':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
    case 'user-list':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
    case 'login-token-create':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
    case 'status':
      return send(res, 200, success(await acts[verb](verbs[verb].input.parse(body))))
  }
}

/** Compared in a time that says nothing about how much of it was right. */
function brings(req: IncomingMessage, secret: string): boolean {
  const brought = Buffer.from(req.headers.authorization ?? '')
  const wanted = Buffer.from(`Bearer ${secret}`)
  return brought.length === wanted.length && timingSafeEqual(brought, wanted)
}

/** Undefined: it is larger than it may be. */
async function bodyOf(req: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of req) {
    size += piece.length
    if (size > LARGEST_BODY) return undefined
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

const success = (data: object) => ({ status: 'ok', data })
const failure = (error: string, message: string) => ({ status: 'error', error, message })

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store', Connection: 'close' })
  res.end(JSON.stringify(body))
}

function textOf(error: z.ZodError | SyntaxError): string {
  if (error instanceof SyntaxError) return 'The request is not JSON.'
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')
}
