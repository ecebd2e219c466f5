import type { Generated } from 'kysely'

export interface CrashTables {
  rows: { writer: number; number: number; body: string }
  twins: { id: Generated<number>; writer: number; number: number }
  tokens: { writer: number; number: number; used: number | null }
}

export const WRITERS = 8

/** What a row must hold, so that a mixed-up replay shows. */
export function bodyOf(writer: number, number: number): string {
  return `${writer}:${number}:`.repeat(1 + (number % 20))
}

/** What `verify.ts` prints, as JSON. */
export interface Verdict {
  /** The highest row number of each writer. */
  highest: number[]
  /** Consumed tokens of each writer. */
  used: number[][]
  /** What is wrong whatever was acknowledged. */
  faults: string[]
}
