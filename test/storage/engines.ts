import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStorage } from '../../server/storage/open.ts'
import type { Storage } from '../../server/storage/port.ts'
import { createDatabase } from '../helpers/postgres.ts'

/** One database that several storages may share: two servers on PostgreSQL, one on the embedded engine. */
export interface TestDatabase {
  open(): Promise<Storage>
  drop(): Promise<void>
}

export interface EngineUnderTest {
  name: 'sqljs' | 'postgres'
  /** Whether a second server may open the same database. */
  shared: boolean
  create(): Promise<TestDatabase>
}

const log = () => {}

export const ENGINES: readonly EngineUnderTest[] = [
  {
    name: 'sqljs',
    shared: false,
    async create() {
      const directory = await mkdtemp(join(tmpdir(), 'latchkey-storage-'))
      return {
        open: () => openStorage({ directory, log }),
        drop: () => rm(directory, { recursive: true, force: true }),
      }
    },
  },
  {
    name: 'postgres',
    shared: true,
    async create() {
      const database = await createDatabase()
      return {
        open: () => openStorage({ database: database.url, directory: tmpdir(), log }),
        drop: database.drop,
      }
    },
  },
]
