import { openEmbedded } from './embedded.ts'
import type { Engine } from './engine.ts'
import { openPostgres } from './postgres.ts'
import type { Storage } from './port.ts'
import { createStorage } from './storage.ts'

export interface StorageOptions {
  /** `postgres://…`; absent: the embedded engine in `directory`. */
  database?: string | undefined
  directory: string
  /** Connections that PostgreSQL may be asked for. Default 10. */
  poolSize?: number
  log: (event: string, detail: object) => void
}

/** Opens the database that the options name and brings its tables up to date. Rejects with `StorageOpenError`. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  return createStorage(await openEngine(options))
}

function openEngine({ database, directory, poolSize = 10, log }: StorageOptions): Promise<Engine> {
  return database === undefined ? openEmbedded({ directory, log }) : openPostgres(database, poolSize, log)
}
