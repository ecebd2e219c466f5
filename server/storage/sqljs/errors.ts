import { StorageWriteError } from '../errors.ts'

/**
 * Why a statement was not carried out. The `SQLITE_…` names are those of better-sqlite3.
 * STATEMENT_REFUSED: not allowed here whatever the data (not deterministic, transaction control, several statements
 * in one string). PARAMETER_REFUSED: a value that SQLite or the journal could not keep exactly.
 */
export type StatementCode =
  | 'SQLITE_CONSTRAINT_UNIQUE'
  | 'SQLITE_CONSTRAINT_FOREIGNKEY'
  | 'SQLITE_CONSTRAINT_NOTNULL'
  | 'SQLITE_CONSTRAINT_CHECK'
  | 'SQLITE_CONSTRAINT'
  | 'SQLITE_ERROR'
  | 'STATEMENT_REFUSED'
  | 'PARAMETER_REFUSED'

/** One statement failed and left no trace; an open transaction goes on without it. */
export class StatementError extends Error {
  override readonly name = 'StatementError'
  readonly code: StatementCode

  constructor(code: StatementCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const CONSTRAINTS: readonly (readonly [string, StatementCode])[] = [
  ['UNIQUE constraint failed', 'SQLITE_CONSTRAINT_UNIQUE'],
  ['FOREIGN KEY constraint failed', 'SQLITE_CONSTRAINT_FOREIGNKEY'],
  ['NOT NULL constraint failed', 'SQLITE_CONSTRAINT_NOTNULL'],
  ['CHECK constraint failed', 'SQLITE_CONSTRAINT_CHECK'],
  ['constraint failed', 'SQLITE_CONSTRAINT'],
]

/** sql.js throws only messages: this is the one place that turns them into codes. */
export function toStatementError(cause: unknown): StatementError {
  if (cause instanceof StatementError) return cause
  const message = cause instanceof Error ? cause.message : String(cause)
  const code = CONSTRAINTS.find(([text]) => message.includes(text))?.[1] ?? 'SQLITE_ERROR'
  return new StatementError(code, message, { cause })
}

/** The `code` of a Node system error (`ENOSPC`, `EACCES`, …), if it is one. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Wraps what the file system threw on the way of a commit. */
export function toWriteError(cause: unknown, file: string): StorageWriteError {
  if (cause instanceof StorageWriteError) return cause
  const full = ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(systemCode(cause) ?? '')
  const reason = cause instanceof Error ? cause.message : String(cause)
  return full
    ? new StorageWriteError('DISK_FULL', `No space left for ${file}: free some space on its disk (${reason})`, {
        cause,
      })
    : new StorageWriteError('WRITE_FAILED', `Could not write ${file}: check its disk (${reason})`, { cause })
}
