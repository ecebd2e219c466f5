import { z } from 'zod'

/** What the app and its server process say to each other. Each side parses what it hears, and drops what is not on this list. */

const id = z.number().int().nonnegative()
const base64 = z.base64()

/** Whether the server answers the network, and at which addresses. */
export const lanState = z.strictObject({ on: z.boolean(), urls: z.array(z.string()) })
export type LanState = z.infer<typeof lanState>

export const toServer = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('start'),
    port: z.number().int().min(0).max(65_535),
    dataDirectory: z.string().optional(),
    /** How the keyring shall stand on the disk. */
    keys: z.enum(['wrapped', 'plain', 'as it is']),
  }),
  z.strictObject({ type: z.literal('mint'), id }),
  z.strictObject({ type: z.literal('lan'), id }),
  z.strictObject({ type: z.literal('switch-lan'), id, on: z.boolean() }),
  /** The answer to `keep`. */
  z.strictObject({ type: z.literal('kept'), id, bytes: base64 }),
  z.strictObject({ type: z.literal('not-kept'), id, message: z.string() }),
  z.strictObject({ type: z.literal('stop') }),
])
export type ToServer = z.infer<typeof toServer>

export const fromServer = z.discriminatedUnion('type', [
  /** It runs and awaits `start`. */
  z.strictObject({ type: z.literal('here') }),
  z.strictObject({ type: z.literal('places'), dataDirectory: z.string(), logFile: z.string() }),
  z.strictObject({ type: z.literal('ready'), url: z.url(), setupToken: z.string().optional() }),
  z.strictObject({ type: z.literal('failed'), code: z.string(), message: z.string() }),
  z.strictObject({ type: z.literal('token'), id, token: z.string() }),
  z.strictObject({ type: z.literal('lan'), id, state: lanState }),
  z.strictObject({ type: z.literal('refused'), id, message: z.string() }),
  /** The key store of the system can be asked by the app only. */
  z.strictObject({ type: z.literal('keep'), id, act: z.enum(['wrap', 'unwrap']), bytes: base64 }),
  z.strictObject({ type: z.literal('stopped') }),
])
export type FromServer = z.infer<typeof fromServer>

/** One end of the line between the two. */
export interface Line<Said, Heard> {
  say(message: Said): void
  /** What was heard and understood. */
  hear(listener: (message: Heard) => void): void
}

/** Calls that wait for their answer by its number. */
export function createCalls<Answer>() {
  const waiting = new Map<number, { resolve: (answer: Answer) => void; reject: (error: Error) => void }>()
  let last = 0
  return {
    call(ask: (id: number) => void): Promise<Answer> {
      const mine = ++last
      return new Promise((resolve, reject) => {
        waiting.set(mine, { resolve, reject })
        ask(mine)
      })
    },
    answer(to: number, answer: Answer): void {
      waiting.get(to)?.resolve(answer)
      waiting.delete(to)
    },
    refuse(to: number, message: string): void {
      waiting.get(to)?.reject(new Error(message))
      waiting.delete(to)
    },
    /** Nobody is there any more who could answer. */
    end(message: string): void {
      for (const one of [...waiting.keys()]) this.refuse(one, message)
    },
  }
}
