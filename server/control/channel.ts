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

/** The running server is gone: it ended while it was spoken to. */
export class ServerGone extends Error {}

/** A running server, to be asked for what `acts.ts` does. */
export interface Channel {
  acts: Acts
  pid: number
}

/** The channel to the server that runs on a data directory; undefined: none does. */
export async function reachServer(directory: string): Promise<Channel | undefined> {
  const notice = await readNotice(directory)
  if (!notice || !(await answers(notice))) return undefined
  const ask = async <V extends Asking>(verb: V, input: InputOf<V>, output: z.ZodType<OutputOf<V>>) =>
    output.parse(await readJson(await post(notice, verb, input)))
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
        const answer = await post(notice, 'backup', input)
        if (answer.statusCode !== 200) await readJson(answer)
        const stream: Readable = answer
        return { bytes: Number(answer.headers['content-length']), stream }
      },
    },
  }
}

/** What a server left that was killed answers to nobody. */
async function answers(notice: Notice): Promise<boolean> {
  try {
    const answer = await post(notice, 'status', {})
    answer.resume()
    return answer.statusCode === 200
  } catch (error) {
    if (error instanceof ServerGone) return false
    throw error
  }
}

function post({ path, secret }: Notice, verb: Verb, body: object): Promise<IncomingMessage> {
  const headers = { Authorization: `Bearer ${secret}`, 'Content-Type': 'application/json' }
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: path, path: `/${verb}`, method: 'POST', headers, agent: false }, resolve)
    asking.once('error', (cause) => reject(new ServerGone('The server does not answer any more.', { cause })))
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
