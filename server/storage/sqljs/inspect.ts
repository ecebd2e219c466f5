import type { Database } from 'sql.js'
import { StatementError, toStatementError } from './errors.ts'

/** What SQLite itself says about a statement, from the program it compiles it to. */
export interface StatementFacts {
  /** It may change the database. */
  writes: boolean
  /** It changes the schema: whatever was known about other statements is void. */
  schema: boolean
  /** When it reports no changed row it changed nothing at all (not so for INSERT, which may use up a rowid). */
  idleWhenUnchanged: boolean
}

const READ: StatementFacts = { writes: false, schema: false, idleWhenUnchanged: true }
const LEADING = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*/
const READ_PRAGMAS =
  /^pragma\s+(?:\w+\.)?(?:table_info|table_xinfo|table_list|index_list|index_info|index_xinfo|foreign_key_list|foreign_key_check|integrity_check|quick_check|page_count|page_size|freelist_count|compile_options|user_version|foreign_keys)\s*(?:\([^)]*\))?\s*;?\s*$/i

/** Replayed later, these would answer something else. Date functions too: `date(x)` where x is 'now' looks harmless. */
const NOT_REPEATABLE = new Set([
  'random',
  'randomblob',
  'date',
  'time',
  'datetime',
  'julianday',
  'unixepoch',
  'strftime',
  'timediff',
  'current_timestamp',
  'current_date',
  'current_time',
  'changes',
  'total_changes',
  'last_insert_rowid',
  'sqlite_version',
  'sqlite_source_id',
  'load_extension',
])
const OE_FAIL = 3
const SCHEMA_OPCODES = new Set([
  'ParseSchema',
  'SetCookie',
  'DropTable',
  'DropIndex',
  'DropTrigger',
  'CreateBtree',
  'LoadAnalysis',
])

interface Op {
  name: string
  p1: number
  p2: number
  p4: string
}

/**
 * Looks a statement over before its first run.
 * @throws StatementError STATEMENT_REFUSED when it must not run here; SQLITE_ERROR when it does not compile
 */
export function inspectStatement(db: Database, sql: string): StatementFacts {
  const text = sql.replace(LEADING, '')
  const verb = /^[a-z]+/i.exec(text)?.[0].toLowerCase() ?? ''
  if (verb === 'pragma') return inspectPragma(text)
  if (verb === 'explain') return inspectStatement(db, text.replace(/^explain(\s+query\s+plan)?/i, '')) && READ
  const ops = compile(db, sql)
  refuseControl(ops)
  if (!ops.some((op) => op.name === 'Transaction' && op.p2 !== 0)) return READ
  refuseUnrepeatable(ops)
  return {
    writes: true,
    schema: ops.some((op) => SCHEMA_OPCODES.has(op.name)),
    idleWhenUnchanged: (verb === 'update' || verb === 'delete') && !ops.some((op) => op.name === 'Program'),
  }
}

/** EXPLAIN is no protection here: SQLite carries out some pragmas while it compiles them. */
function inspectPragma(text: string): StatementFacts {
  if (READ_PRAGMAS.test(text)) return READ
  throw refused(`${text.slice(0, 60)}: a pragma that sets something would not be there after a restart`)
}

function compile(db: Database, sql: string): Op[] {
  const statements = db.iterateStatements(`EXPLAIN ${sql}`)
  try {
    const first = statements.next()
    if (first.done) throw refused('an empty statement')
    const ops: Op[] = []
    while (first.value.step()) {
      const row = first.value.get()
      ops.push({ name: String(row[1]), p1: Number(row[2]), p2: Number(row[3]), p4: String(row[5]) })
    }
    // Asked to prepare several statements, sql.js would run the first and forget the others without a word.
    if (statements.getRemainingSQL().replace(LEADING, '') !== '')
      throw refused('several statements in one string: execute them one by one')
    return ops
  } catch (cause) {
    throw toStatementError(cause)
  } finally {
    // The declarations forget it, but it is the iterator's documented way to let go of what it prepared.
    if ('return' in statements && typeof statements.return === 'function') statements.return()
  }
}

function refuseControl(ops: readonly Op[]): void {
  for (const { name, p1, p2, p4 } of ops) {
    if (name === 'AutoCommit' || name === 'Savepoint')
      throw refused('transactions and savepoints are opened through Kysely, not by statements')
    if (name === 'Vacuum') throw refused('VACUUM would renumber rows')
    if (name === 'Transaction' && p1 > 0 && p2 !== 0) throw refused('temporary and attached tables are not kept')
    if (p4.startsWith('sqlite_attach(') || p4.startsWith('sqlite_detach('))
      throw refused('other database files cannot be attached')
  }
}

function refuseUnrepeatable(ops: readonly Op[]): void {
  for (const { name, p1, p2, p4 } of ops) {
    const called = name === 'Function' ? p4.slice(0, p4.indexOf('(')).toLowerCase() : ''
    if (NOT_REPEATABLE.has(called))
      throw refused(
        `${called}() in a statement that writes: pass the value as a parameter, the journal must give the same result when replayed`,
      )
    if ((name === 'Halt' || name === 'HaltIfNull') && p1 !== 0 && p2 === OE_FAIL)
      throw refused('OR FAIL keeps half of a failed statement: use OR ABORT')
  }
}

function refused(reason: string): StatementError {
  return new StatementError('STATEMENT_REFUSED', `Statement refused: ${reason}`)
}
