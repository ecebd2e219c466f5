import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from 'kysely'
import type { Transaction, Transactions } from './transactions.ts'

/**
 * The Kysely dialect over the engine. Reads wait for an open transaction of another caller; writes answer when they
 * are durable. DDL is transactional, so a migration happens as a whole or not at all.
 */
export function createDialect(transactions: Transactions, close: () => Promise<void>): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: () => createDriver(transactions, close),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

class Adapter extends SqliteAdapter {
  /** With `false` Kysely would hold its own mutex until a commit is durable, and no two would ever share a sync. */
  override get supportsMultipleConnections(): boolean {
    return true
  }

  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

class Connection implements DatabaseConnection {
  transaction: Transaction | undefined
  readonly #transactions: Transactions

  constructor(transactions: Transactions) {
    this.#transactions = transactions
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, changes, facts, insertId } = await this.#transactions.execute(
      query.sql,
      query.parameters,
      this.transaction,
    )
    // Kysely leaves it to the driver that rows are what the query's type says.
    const result: QueryResult<R> = { rows: rows as R[] }
    if (!facts.writes) return result
    const numAffectedRows = BigInt(changes)
    return insertId === undefined
      ? { ...result, numAffectedRows }
      : { ...result, numAffectedRows, insertId: BigInt(insertId) }
  }

  /** All rows are read at once, so that nothing is held between two chunks. */
  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const { rows } = await this.executeQuery<R>(query)
    for (let at = 0; at < rows.length; at += chunkSize) yield { rows: rows.slice(at, at + chunkSize) }
  }
}

function createDriver(transactions: Transactions, close: () => Promise<void>): Driver {
  const idle: Connection[] = []
  const ours = (connection: DatabaseConnection): Connection => {
    if (connection instanceof Connection) return connection
    throw new Error('not a connection of this driver')
  }
  const inside = (connection: DatabaseConnection): Transaction => {
    const { transaction } = ours(connection)
    if (transaction) return transaction
    throw new Error('no transaction is open on this connection')
  }
  return {
    init: async () => {},
    acquireConnection: async () => idle.pop() ?? new Connection(transactions),
    async releaseConnection(connection) {
      const { transaction } = ours(connection)
      if (transaction) transactions.rollback(transaction)
      ours(connection).transaction = undefined
      idle.push(ours(connection))
    },
    async beginTransaction(connection) {
      ours(connection).transaction = await transactions.begin()
    },
    async commitTransaction(connection) {
      await transactions.commit(inside(connection))
      ours(connection).transaction = undefined
    },
    async rollbackTransaction(connection) {
      const { transaction } = ours(connection)
      ours(connection).transaction = undefined
      if (transaction) transactions.rollback(transaction)
    },
    savepoint: async (connection, name) => transactions.savepoint(inside(connection), name),
    rollbackToSavepoint: async (connection, name) => transactions.rollbackTo(inside(connection), name),
    releaseSavepoint: async (connection, name) => transactions.release(inside(connection), name),
    destroy: close,
  }
}
