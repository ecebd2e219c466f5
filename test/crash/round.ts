import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { WRITERS } from './tables.ts'
import type { Verdict } from './tables.ts'

const writerPath = fileURLToPath(new URL('./writer.ts', import.meta.url))
const verifyPath = fileURLToPath(new URL('./verify.ts', import.meta.url))

/** What the rounds on one directory have been told so far. */
export interface Acknowledged {
  highest: number[]
  tokens: Set<number>[]
}

export interface RoundResult {
  /** What the kill was timed by: serving began, or a checkpoint was completed. */
  killedAfter: 'ready' | 'checkpoint'
  killedAfterMs: number
  /** Acknowledgements in this round. */
  rows: number
  tokens: number
  checkpoints: number
  /** What was lost, doubled or damaged; empty when all is well. */
  faults: string[]
}

export interface RoundOptions {
  directory: string
  checkpointBytes: number
  /** A number from 0 to 1, in a reproducible order. */
  random: () => number
  acknowledged: Acknowledged
}

export function createAcknowledged(): Acknowledged {
  return { highest: Array<number>(WRITERS).fill(0), tokens: Array.from({ length: WRITERS }, () => new Set<number>()) }
}

/** Numbers that are the same for the same seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** Starts the writers, kills them with SIGKILL at a random moment, and compares what is there with what was acknowledged. */
export async function runRound(options: RoundOptions): Promise<RoundResult> {
  const killedAfter = options.random() < 0.3 ? 'checkpoint' : 'ready'
  const killedAfterMs = Math.round(options.random() ** 2 * (killedAfter === 'ready' ? 600 : 60))
  const result: RoundResult = { killedAfter, killedAfterMs, rows: 0, tokens: 0, checkpoints: 0, faults: [] }
  await writeUntilKilled(options, result)
  compare(options.acknowledged, await verify(options.directory), result.faults)
  return result
}

async function writeUntilKilled(
  { directory, checkpointBytes, acknowledged }: RoundOptions,
  result: RoundResult,
): Promise<void> {
  const child = spawn(process.execPath, [writerPath, directory, String(checkpointBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close')
  let killed = false
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, writer, number] = line.split(' ')
    if (word === result.killedAfter && !killed) setTimeout(() => (killed = child.kill('SIGKILL')), result.killedAfterMs)
    if (word === 'ready') continue
    if (word === 'checkpoint') result.checkpoints += 1
    else if (word === 'row')
      note(
        () => (acknowledged.highest[Number(writer)] = Number(number)),
        () => (result.rows += 1),
      )
    else if (word === 'token')
      note(
        () => acknowledged.tokens[Number(writer)]?.add(Number(number)),
        () => (result.tokens += 1),
      )
    else result.faults.push(line)
  }
  await ended
  if (!killed) result.faults.push('the writers ended before they were killed')
}

function note(...steps: (() => unknown)[]): void {
  for (const step of steps) step()
}

async function verify(directory: string): Promise<Verdict> {
  const child = spawn(process.execPath, [verifyPath, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()))
  const [code] = await once(child, 'close')
  if (code !== 0) return { highest: [], used: [], faults: [`the database did not open again (exit ${code})`] }
  return JSON.parse(text)
}

function compare(acknowledged: Acknowledged, verdict: Verdict, faults: string[]): void {
  faults.push(...verdict.faults)
  acknowledged.highest.forEach((number, writer) => {
    const found = verdict.highest[writer] ?? 0
    if (found < number) faults.push(`writer ${writer}: row ${number} was acknowledged, the last one there is ${found}`)
    if (found > number + 1)
      faults.push(`writer ${writer}: rows up to ${found} are there, only ${number} were acknowledged`)
    // The one that was under way counts as acknowledged from now on: the next writer goes on after it.
    acknowledged.highest[writer] = Math.max(found, number)
  })
  acknowledged.tokens.forEach((tokens, writer) => {
    const used = new Set(verdict.used[writer])
    for (const number of tokens)
      if (!used.has(number)) faults.push(`writer ${writer}: token ${number} was consumed, and can be used again`)
  })
}
