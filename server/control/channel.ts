import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { z } from 'zod'
import type { Acts } from './acts.ts'
import { type Notice, readNotice } from './notice.ts'
import { Refused } from './refused.ts'
import { type Asking, type InputOf, type OutputOf, type Verb, verbs } from './verbs.ts'

/** As in server/listen.ts. */
const { request } = process.getBuiltinModule('node:http')

const failureSchema = z.object({ status: z.literal('error'), error: z.string(), message: z.string() })
const successSchema = z.object({ status: z.literal('ok'), data: z.unknown() })

/** Milliseconds without a sign of life. A backup says nothing until the database has been copied. */
const PATIENCE = { status: 10_000, backup: 600_000, other: 60_000 }

/** The running server is gone: it ended while it was spoken to. */
export class ServerGone extends Error {}

/** The running server takes what is said to it, and does not answer. */
export class ServerSilent extends Error {}

/** A running server, to be asked for what `acts.ts` does. */
export interface Channel {
  acts: Acts
  pid: number
}

/** The channel to the server that runs on a data directory; undefined: none does. */
export async function reachServer(directory: string, patience = PATIENCE): Promise<Channel | undefined> {
  const notice = await readNotice(directory)
  if (!notice) return undefined
  const post: Post = (verb, body) =>
    send(notice, verb, body, verb === 'status' || verb === 'backup' ? patience[verb] : patience.other)
  if (!(await answers(post))) return undefined
  const ask = async <V extends Asking>(verb: V, input: InputOf<V>, output: z.ZodType<OutputOf<V>>) =>
    output.parse(await readJson(await post(verb, input)))
  return {
    pid: notice.pid,
    acts: {
      'startup-token': (input) => ask('startup-token', input, verbs['startup-token'].output),
      'user-create': (input) => ask('user-create', input, verbs['user-create'].output),
      'user-reset': (input) => ask('user-reset', input, verbs['user-reset'].output),
      'user-list': (input) => ask('user-list', input, verbs['user-list'].output),
      'login-token-create': (input) => ask('login-token-create', input, verbs['login-token-create'].output),
      status: (input) => ask('status', input, verbs.status.output),
      async backup(input) {
        const answer = await post('backup', input)
        if (answer.statusCode !== 200) await readJson(answer)
        const stream: Readable = answer
        return { bytes: Number(answer.headers['content-length']), stream }
      },
    },
  }
}

type Post = (verb: Verb, body: object) => Promise<IncomingMessage>

/** What a server left that was killed answers to nobody. One that is not well answers all the same. */
async function answers(post: Post): Promise<boolean> {
  try {
    const answer = await post('status', {})
    answer.resume()
    return answer.statusCode !== 401
  } catch (error) {
    if (error instanceof ServerGone) return false
    throw error
  }
}

function send({ path, secret, pid }: Notice, verb: Verb, body: object, timeout: number): Promise<IncomingMessage> {
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, path: `/${verb}`, method: 'POST', headers, agent: false }, resolve)
    asking.once('error', (cause) => {
      const isSilent = cause instanceof ServerSilent
      reject(isSilent ? cause : new ServerGone('The server does not answer any more.', { cause }))
    })
    asking.setTimeout(timeout, () => {
      const silent = `The server (process ${pid}) has not answered for ${timeout / 1000} seconds.`
      asking.destroy(new ServerSilent(`${silent} Look whether it is stopped or hangs.`))
    })
    asking.end(JSON.stringify(body))
  })
}

async function readJson(answer: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = []
  for await (const piece of answer) pieces.push(piece)
  const parsed: unknown = JSON.parse(Buffer.concat(pieces).toString('utf8'))
  const failed = failureSchema.safeParse(parsed)
  if (failed.success) throw new Refused(failed.data.error, failed.data.message)
  return successSchema.parse(parsed).data
}
