import type { Engine } from './engine.ts'
import { StorageWriteError } from './errors.ts'
import { StatementError } from './sqljs/errors.ts'
import { openSqljs } from './sqljs/open.ts'

export interface EmbeddedOptions {
  directory: string
  log: (event: string, detail: object) => void
}

/** The embedded database: sql.js in memory, made durable in the data directory. Rejects with `StorageOpenError`. */
export async function openEmbedded({ directory, log }: EmbeddedOptions): Promise<Engine> {
  const database = await openSqljs({ directory, log })
  return {
    name: 'sqljs',
    dialect: database.dialect,
    version: () => database.version(),
    epoch: () => database.epoch(),
    read: (query) => database.read(query),
    snapshot: () => database.snapshot(),
    isUnavailable: (error) => error instanceof StorageWriteError,
    isConflict: (error) => error instanceof StatementError && error.code === 'SQLITE_CONSTRAINT_UNIQUE',
    // Destroying Kysely has closed the database already; closing twice is allowed.
    close: () => database.close(),
  }
}
