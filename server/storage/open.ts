import { openEmbedded } from './embedded.ts'
import type { Engine } from './engine.ts'
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

async function openEngine({ database, directory, poolSize = 10, log }: StorageOptions): Promise<Engine> {
  if (database === undefined) return openEmbedded({ directory, log })
  const { openPostgres } = await import('./postgres.ts')
  return openPostgres(database, poolSize, log)
}
