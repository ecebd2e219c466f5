import initSqlJs from 'sql.js'
import type { Database, SqlJsStatic, Statement } from 'sql.js'
import { StatementError, toStatementError } from './errors.ts'
import { inspectStatement } from './inspect.ts'
import type { StatementFacts } from './inspect.ts'
import type { SqlValue } from './values.ts'

export type Row = Record<string, SqlValue>

export interface Outcome {
  rows: Row[]
  /** Rows changed by the statement itself; 0 for a read. */
  changes: number
  facts: StatementFacts
}

/**
 * One sql.js database. Everything is synchronous and nothing is durable. The wasm heap is shared by all databases of a
 * process and grows but never shrinks; memory of a closed database is used again by the next.
 * Integers come back as numbers: exact up to 2^53.
 */
export interface Engine {
  /** Runs any permitted statement. @throws StatementError; the statement then left no trace. */
  run(sql: string, values: SqlValue[]): Outcome
  /** Runs a SELECT. @throws StatementError STATEMENT_REFUSED when it would write */
  read(sql: string, values: SqlValue[]): Row[]
  /** Runs a statement that was permitted when it was journaled. */
  replay(sql: string, values: SqlValue[]): void
  /** BEGIN, COMMIT, ROLLBACK and savepoints. */
  control(sql: string): void
  /** Whether a transaction is open; some errors make SQLite roll back by itself. */
  inTransaction(): boolean
  /** The rowid given by the last successful INSERT. */
  lastRowid(): number
  /** Forgets prepared statements: after the schema changed, or changed back. */
  forget(): void
  /** The database file, as bytes. Holds the thread for about 2 ms per MB. */
  export(): Uint8Array
  close(): void
}

interface Prepared {
  statement: Statement
  facts: StatementFacts
  names: string[] | undefined
}

/** Stands for the facts of a statement that was not looked over. */
const UNCHECKED: StatementFacts = { writes: true, schema: true, idleWhenUnchanged: false }
const MAX_PREPARED = 400
/** Without EXCLUSIVE each statement locks and re-reads the in-memory file: 5 times slower. */
const PRAGMAS = `PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;
PRAGMA temp_store=MEMORY; PRAGMA foreign_keys=ON; PRAGMA cell_size_check=ON`

let loading: Promise<SqlJsStatic> | undefined

/** Loads the wasm once per thread. */
export function loadSqljs(): Promise<SqlJsStatic> {
  loading ??= initSqlJs()
  return loading
}

/** Opens the bytes of an SQLite database file, or an empty database. */
export function createEngine(sqljs: SqlJsStatic, bytes?: Uint8Array): Engine {
  const db: Database = new sqljs.Database(bytes)
  const prepared = new Map<string, Prepared>()
  try {
    db.exec(PRAGMAS)
  } catch (cause) {
    db.close()
    throw toStatementError(cause)
  }

  function prepare(sql: string): Prepared {
    const known = prepared.get(sql)
    if (known) return known
    for (const [oldest, entry] of prepared) {
      if (prepared.size < MAX_PREPARED) break
      entry.statement.free()
      prepared.delete(oldest)
    }
    const entry: Prepared = { statement: db.prepare(sql), facts: UNCHECKED, names: undefined }
    prepared.set(sql, entry)
    return entry
  }

  function prepareChecked(sql: string): Prepared {
    const known = prepared.get(sql)
    if (known && known.facts !== UNCHECKED) return known
    const facts = inspectStatement(db, sql)
    return Object.assign(prepare(sql), { facts })
  }

  function forget(): void {
    for (const entry of prepared.values()) entry.statement.free()
    prepared.clear()
  }

  return {
    run(sql, values) {
      try {
        const entry = prepareChecked(sql)
        const rows = stepAll(entry, values)
        const changes = entry.facts.writes && !entry.facts.schema ? db.getRowsModified() : 0
        if (entry.facts.schema) forget()
        return { rows, changes, facts: entry.facts }
      } catch (cause) {
        throw toStatementError(cause)
      }
    },
    read(sql, values) {
      try {
        const entry = prepareChecked(sql)
        if (entry.facts.writes)
          throw new StatementError('STATEMENT_REFUSED', 'Statement refused: read() is for statements that do not write')
        return stepAll(entry, values)
      } catch (cause) {
        throw toStatementError(cause)
      }
    },
    replay(sql, values) {
      stepAll(prepare(sql), values)
    },
    control(sql) {
      const { statement } = prepare(sql)
      try {
        statement.step()
      } catch (cause) {
        throw toStatementError(cause)
      } finally {
        statement.reset()
      }
    },
    inTransaction() {
      try {
        this.control('BEGIN')
      } catch {
        return true
      }
      this.control('ROLLBACK')
      return false
    },
    lastRowid: () => Number(stepAll(prepare('SELECT last_insert_rowid() AS id'), [])[0]?.['id']),
    forget,
    export: () => db.export(),
    close: () => db.close(),
  }
}

/** Runs a prepared statement to its end and resets it: an open one would hold locks. */
function stepAll(entry: Prepared, values: SqlValue[]): Row[] {
  const { statement } = entry
  const rows: Row[] = []
  try {
    if (values.length > 0) statement.bind(values)
    while (statement.step()) {
      entry.names ??= statement.getColumnNames()
      rows.push(toRow(entry.names, statement.get()))
    }
    return rows
  } finally {
    statement.reset()
  }
}

function toRow(names: readonly string[], values: readonly SqlValue[]): Row {
  const row: Row = {}
  for (let index = 0; index < names.length; index++) row[names[index] ?? ''] = values[index] ?? null
  return row
}
