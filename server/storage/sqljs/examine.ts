import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadSqljs } from './engine.ts'
import { nodeFiles } from './files.ts'
import { lockDirectory } from './lock.ts'
import { recover } from './recover.ts'

/** What the files of a database hold. */
export interface Examined {
  /** What SQLite's own check says is wrong; none: it is sound. */
  faults: string[]
  /** Snapshots that failed their checksum; an older one took their place. */
  damaged: number
  superusers: number
  /** Newest entry of the audit, in milliseconds; null: none. */
  audited_at: number | null
}

/**
 * Reads a database as an opening would, and changes nothing. Holds the directory meanwhile, unless that never was held (a copy)
 * and would have to be given a lock file for it.
 * @throws StorageOpenError DATA_DIR_LOCKED | DATABASE_CORRUPT | DATABASE_NEWER | DATA_DIR_UNREADABLE
 */
export async function examineDatabase(directory: string): Promise<Examined> {
  const lock = existsSync(join(directory, 'lock')) ? lockDirectory(directory) : undefined
  try {
    const { engine, damaged } = recover({ files: nodeFiles, sqljs: await loadSqljs(), directory })
    try {
      const verdicts = engine.read('PRAGMA quick_check', []).map((row) => String(row['quick_check']))
      const [people] = engine.read('SELECT count(*) AS count FROM users WHERE superuser = 1 AND enabled = 1', [])
      const [latest] = engine.read('SELECT max(at) AS at FROM audit', [])
      const at = latest?.['at']
      return {
        faults: verdicts.filter((verdict) => verdict !== 'ok'),
        damaged: damaged.length,
        superusers: Number(people?.['count'] ?? 0),
        audited_at: typeof at === 'number' ? at : null,
      }
    } finally {
      engine.close()
    }
  } finally {
    lock?.release()
  }
}
