import { type CompiledQuery, PostgresDialect } from 'kysely'
import pg from 'pg'
import type { Engine } from './engine.ts'
import { StorageOpenError } from './errors.ts'

const INT8 = 20

/**
 * PostgreSQL, for those who outgrow one machine: several servers may share one database.
 * `url` is a `postgres://` address; `poolSize` is the number of connections this process may hold.
 * Rejects with DATABASE_UNREACHABLE when no connection can be had.
 */
export async function openPostgres(
  url: string,
  poolSize: number,
  log: (event: string, detail: object) => void,
): Promise<Engine> {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: 5_000,
    statement_timeout: 30_000,
    application_name: 'latchkey',
    types: {
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    },
  })
  // A connection that breaks while idle is replaced by the pool at the next use.
  pool.on('error', (error) => log('postgres_connection_lost', { reason: error.message }))
  try {
    const connection = await pool.connect()
    connection.release()
  } catch (error) {
    await pool.end()
    throw new StorageOpenError(
      'DATABASE_UNREACHABLE',
      `PostgreSQL cannot be reached: ${reasonOf(error)}. Check --database and that the server runs.`,
      { cause: error },
    )
  }
  return {
    name: 'postgres',
    dialect: new PostgresDialect({ pool }),
    async read<Row>(query: CompiledQuery<Row>): Promise<Row[]> {
      const result = await pool.query({ text: query.sql, values: [...query.parameters] })
      return result.rows
    },
    isUnavailable,
    isConflict: (error) => error instanceof pg.DatabaseError && error.code === '23505',
    close: async () => {},
  }
}

/** No connection, a broken one, or a server that is shutting down, out of room or read-only (SQLSTATE classes 08, 53, 57, 25006). */
function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof pg.DatabaseError) return /^(08|53|57|25006)/.test(error.code ?? '')
  return (
    ('code' in error && /^E[A-Z]+$/.test(String(error.code))) ||
    error.message.startsWith('Connection terminated') ||
    error.message.startsWith('timeout exceeded')
  )
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
