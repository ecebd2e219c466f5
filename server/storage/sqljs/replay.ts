import type { Engine } from './engine.ts'
import type { Frame } from './frame.ts'
import { decodeValue, encodeValues, toBound } from './values.ts'
import type { StoredValue } from './values.ts'

/**
 * One statement as a journal entry: `[statement, …values]`. The statement is its SQL text the first time a journal
 * file uses it; later it is the number of that text, counted from 0 in order of first use.
 */
export interface Recorded {
  sql: string
  values: StoredValue[]
}

/** The payload of a batch, remembering in `numbers` which texts the journal file already holds. */
export function encodeBatch(statements: readonly Recorded[], numbers: Map<string, number>): string {
  let payload = ''
  for (const { sql, values } of statements) {
    const known = numbers.get(sql)
    if (known === undefined) numbers.set(sql, numbers.size)
    payload += `${payload === '' ? '[[' : ',['}${known ?? JSON.stringify(sql)}${encodeValues(values)}]`
  }
  return `${payload}]`
}

/** Runs all batches of one journal file in one transaction and answers its statement texts in order. */
export function replayFrames(engine: Engine, frames: readonly Frame[]): string[] {
  const texts: string[] = []
  engine.control('BEGIN')
  for (const frame of frames) {
    if (frame.kind === 'batch') replayBatch(engine, JSON.parse(frame.payload.toString()), texts)
  }
  engine.control('COMMIT')
  engine.forget()
  return texts
}

function replayBatch(engine: Engine, batch: unknown, texts: string[]): void {
  if (!Array.isArray(batch)) throw new Error('a batch is not an array')
  for (const entry of batch) {
    if (!Array.isArray(entry)) throw new Error('a statement is not an array')
    const [head, ...values]: unknown[] = entry
    if (typeof head === 'string') texts.push(head)
    const sql = typeof head === 'number' ? texts[head] : head
    if (typeof sql !== 'string') throw new Error('a statement refers to a text that is not there')
    engine.replay(
      sql,
      values.map((value) => toBound(decodeValue(value))),
    )
  }
}
