import type { Durable } from './durable.ts'
import type { Engine, Outcome, Row } from './engine.ts'
import { StatementError } from './errors.ts'
import { createMutex } from './mutex.ts'
import type { Recorded } from './replay.ts'
import { checkValues, toBound } from './values.ts'

/** An open transaction. Only `Transactions` looks inside. */
export interface Transaction {
  readonly epoch: number
  /** What it wrote and did not take back. */
  readonly recorded: Recorded[]
  /** Open savepoints, oldest first, with how much had been recorded before each. */
  readonly savepoints: { name: string; mark: number }[]
  /** It changed the schema. */
  schema: boolean
  /** Committed or rolled back. */
  finished: boolean
}

export interface Executed extends Outcome {
  /** Given after an INSERT that changed a row. */
  insertId: number | undefined
}

/**
 * Statements and transactions, one at a time on the one connection. An answer to anything but a lone SELECT is given
 * only when all that it could have seen is durable; a lone SELECT, and `read`, may see a commit a moment before its
 * own caller is told that it is durable.
 */
export interface Transactions {
  /** A statement in the transaction, or on its own. @throws StatementError | StorageWriteError */
  execute(sql: string, parameters: readonly unknown[], transaction?: Transaction): Promise<Executed>
  begin(): Promise<Transaction>
  commit(transaction: Transaction): Promise<void>
  /** Does nothing when it is finished already. */
  rollback(transaction: Transaction): void
  savepoint(transaction: Transaction, name: string): void
  rollbackTo(transaction: Transaction, name: string): void
  release(transaction: Transaction, name: string): void
  /**
   * A synchronous SELECT that sees committed data only. When another transaction has uncommitted changes at this
   * moment, they are taken back, and made again after the read: this costs as much as that transaction has written.
   */
  read(sql: string, parameters: readonly unknown[]): Row[]
  /** Runs a task once no transaction is open, and opens none until it has ended. */
  alone(task: () => Promise<void>): Promise<void>
}

export function createTransactions(durable: Durable): Transactions {
  const mutex = createMutex()
  let open: Transaction | undefined

  /** The engine, provided that the transaction is still on it. */
  function engineOf(transaction: Transaction): Engine {
    const engine = durable.engine()
    if (transaction.epoch === durable.epoch() && transaction === open) return engine
    throw new StatementError('SQLITE_ERROR', 'The transaction was rolled back: start it again')
  }

  function run(
    engine: Engine,
    sql: string,
    parameters: readonly unknown[],
  ): { executed: Executed; recorded: Recorded | undefined } {
    const values = checkValues(parameters)
    const outcome = engine.run(sql, values.map(toBound))
    const { facts, changes } = outcome
    const recorded = facts.writes && (changes > 0 || !facts.idleWhenUnchanged) ? { sql, values } : undefined
    const insertId = changes > 0 && INSERT.test(sql) ? engine.lastRowid() : undefined
    return { executed: { ...outcome, insertId }, recorded }
  }

  async function executeAlone(sql: string, parameters: readonly unknown[]): Promise<Executed> {
    const turn = mutex.lock()
    if (turn) await turn
    let durably: Promise<void> | undefined
    try {
      const { executed, recorded } = run(durable.engine(), sql, parameters)
      if (recorded) durably = durable.commit([recorded])
      else if (executed.facts.writes) durably = durable.settled()
      if (!durably) return executed
      mutex.unlock()
      await durably
      return executed
    } finally {
      if (!durably) mutex.unlock()
    }
  }

  function executeInside(transaction: Transaction, sql: string, parameters: readonly unknown[]): Executed {
    const engine = engineOf(transaction)
    try {
      const { executed, recorded } = run(engine, sql, parameters)
      if (recorded) transaction.recorded.push(recorded)
      if (executed.facts.schema) transaction.schema = true
      return executed
    } catch (error) {
      // Out of memory and the like end the whole transaction inside SQLite.
      if (!engine.inTransaction()) open = undefined
      throw error
    }
  }

  function close(transaction: Transaction): void {
    transaction.finished = true
    if (open === transaction) open = undefined
    mutex.unlock()
  }

  function readBeside(engine: Engine, transaction: Transaction, sql: string, parameters: readonly unknown[]): Row[] {
    try {
      engine.control('ROLLBACK')
      if (transaction.schema) engine.forget()
      return engine.read(sql, checkValues(parameters).map(toBound))
    } finally {
      redo(engine, transaction)
    }
  }

  function redo(engine: Engine, { recorded, savepoints, schema }: Transaction): void {
    try {
      engine.control('BEGIN')
      for (const [index, { sql, values }] of recorded.entries()) {
        markSavepoints(engine, savepoints, index)
        engine.replay(sql, values.map(toBound))
      }
      markSavepoints(engine, savepoints, recorded.length)
      if (schema) engine.forget()
    } catch (cause) {
      throw durable.fail(cause)
    }
  }

  return {
    async execute(sql, parameters, transaction) {
      return transaction ? executeInside(transaction, sql, parameters) : executeAlone(sql, parameters)
    },

    async begin() {
      const turn = mutex.lock()
      if (turn) await turn
      try {
        durable.engine().control('BEGIN')
      } catch (error) {
        mutex.unlock()
        throw error
      }
      open = { epoch: durable.epoch(), recorded: [], savepoints: [], schema: false, finished: false }
      return open
    },

    async commit(transaction) {
      // When this throws, for a deferred foreign key say, the transaction is still open, and Kysely rolls it back.
      engineOf(transaction).control('COMMIT')
      const { recorded } = transaction
      const durably = recorded.length > 0 ? durable.commit(recorded) : durable.settled()
      close(transaction)
      if (durably) await durably
    },

    rollback(transaction) {
      if (transaction.finished) return
      if (open === transaction && transaction.epoch === durable.epoch()) {
        const engine = durable.engine()
        engine.control('ROLLBACK')
        if (transaction.schema) engine.forget()
      }
      close(transaction)
    },

    savepoint(transaction, name) {
      engineOf(transaction).control(`SAVEPOINT ${quote(name)}`)
      transaction.savepoints.push({ name, mark: transaction.recorded.length })
    },

    rollbackTo(transaction, name) {
      const engine = engineOf(transaction)
      engine.control(`ROLLBACK TO ${quote(name)}`)
      if (transaction.schema) engine.forget()
      const { recorded, savepoints } = transaction
      const at = savepoints.findLastIndex((one) => one.name === name)
      recorded.length = savepoints[at]?.mark ?? 0
      savepoints.length = at + 1
    },

    release(transaction, name) {
      engineOf(transaction).control(`RELEASE ${quote(name)}`)
      const { savepoints } = transaction
      savepoints.length = savepoints.findLastIndex((one) => one.name === name)
    },

    read(sql, parameters) {
      const engine = durable.engine()
      if (open && open.recorded.length > 0) return readBeside(engine, open, sql, parameters)
      return engine.read(sql, checkValues(parameters).map(toBound))
    },

    async alone(task) {
      const turn = mutex.lock()
      if (turn) await turn
      await task().finally(() => mutex.unlock())
    },
  }
}

/** Opens again the savepoints that stood before that recorded statement. */
function markSavepoints(engine: Engine, savepoints: Transaction['savepoints'], index: number): void {
  for (const { name, mark } of savepoints) {
    if (mark === index) engine.control(`SAVEPOINT ${quote(name)}`)
  }
}

const INSERT = /^\s*(?:insert|replace|with)\b/i

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
