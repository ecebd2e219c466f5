import type { OutputOf } from '../../control/verbs.ts'
import type { Config } from '../../config.ts'
import type { Examined } from '../../storage/sqljs/examine.ts'

/** What one look has found. */
export interface Finding {
  check: string
  level: 'ok' | 'warning' | 'problem'
  /** One sentence. */
  says: string
  /** What to do about it. */
  advice?: string
}

/** What all looks have before them. */
export interface Patient {
  config: Config
  now: number
  /** What the running server says of itself; undefined: none runs, or it cannot be reached. */
  status: OutputOf<'status'> | undefined
  /** What the database holds, where no server runs that would say so; else why that is not known. */
  database: Examined | { unread: string; isLocked: boolean } | undefined
}

export const ok = (check: string, says: string): Finding => ({ check, level: 'ok', says })
export const warning = (check: string, says: string, advice: string): Finding => ({
  check,
  level: 'warning',
  says,
  advice,
})
export const problem = (check: string, says: string, advice: string): Finding => ({
  check,
  level: 'problem',
  says,
  advice,
})
