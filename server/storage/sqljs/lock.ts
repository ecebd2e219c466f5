import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import type * as Sqlite from 'node:sqlite'
import { StorageOpenError } from '../errors.ts'

export interface DirectoryLock {
  release(): void
}

/** By directory. Kept here, or the collector could take a handle that its holder forgot, and the lock with it. */
const heldHere = new Map<string, Sqlite.DatabaseSync>()

/**
 * Takes the data directory for this process, creating it (0700) when missing. The lock is an SQLite file lock on
 * `lock`: the kernel drops it when the process ends, however it ends, on every platform Node has node:sqlite on.
 * Nothing else may open that file in this process: on POSIX closing any descriptor of it would drop the lock.
 * @throws StorageOpenError DATA_DIR_LOCKED (at once, no waiting) | DATA_DIR_UNREADABLE
 */
export function lockDirectory(directory: string): DirectoryLock {
  const real = makeDirectory(directory)
  if (heldHere.has(real)) throw locked(directory)
  const database = openLockFile(directory, join(real, 'lock'))
  heldHere.set(real, database)
  return {
    release() {
      heldHere.delete(real)
      if (database.isOpen) database.close()
    },
  }
}

function makeDirectory(directory: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return realpathSync(directory)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
}

function openLockFile(directory: string, path: string): Sqlite.DatabaseSync {
  let database: Sqlite.DatabaseSync | undefined
  try {
    database = new (loadSqlite().DatabaseSync)(path)
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (cause) {
    database?.close()
    const busy = cause instanceof Error && 'errcode' in cause && cause.errcode === 5
    throw busy ? locked(directory) : unreadable(path, cause)
  }
}

/** Some Node versions announce node:sqlite as experimental on stderr when it is first loaded; that is not for users. */
function loadSqlite(): typeof Sqlite {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

function locked(directory: string): StorageOpenError {
  return new StorageOpenError(
    'DATA_DIR_LOCKED',
    `${directory} is in use by another running server: stop it first, or choose another data directory`,
  )
}

function unreadable(path: string, cause: unknown): StorageOpenError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new StorageOpenError(
    'DATA_DIR_UNREADABLE',
    `${path} cannot be opened: check that it exists and belongs to this user (${reason})`,
    { cause },
  )
}
