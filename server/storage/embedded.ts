import type { Engine } from './engine.ts'
import { openSqljs } from './sqljs/open.ts'

export interface EmbeddedOptions {
  directory: string
  log: (event: string, detail: object) => void
  /** Where the checkpoint worker's program is, when not beside the engine's sources. */
  workerUrl?: URL | undefined
}

/** The embedded database: sql.js in memory, made durable in the data directory. Rejects with `StorageOpenError`. */
export async function openEmbedded({ directory, log, workerUrl }: EmbeddedOptions): Promise<Engine> {
  const database = await openSqljs({ directory, log }, workerUrl ? { workerUrl } : {})
  return {
    name: 'sqljs',
    dialect: database.dialect,
    read: (query) => database.read(query),
    isConflict: isUniqueViolation,
    // Destroying Kysely has closed the database already; closing twice is allowed.
    close: () => database.close(),
  }
}

/** SQLite's extended result codes do not come through sql.js: its fixed message is what there is. */
function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && error.message.includes('UNIQUE constraint failed')
}
