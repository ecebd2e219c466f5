/** Why a database could not be opened. */
export type StorageOpenCode =
  'DATA_DIR_LOCKED' | 'DATA_DIR_UNREADABLE' | 'DATABASE_CORRUPT' | 'DATABASE_NEWER' | 'DATABASE_UNREACHABLE'

/** Opening failed and nothing on disk was changed. `message` names the file and says what to do about it. */
export class StorageOpenError extends Error {
  override readonly name = 'StorageOpenError'
  readonly code: StorageOpenCode

  constructor(code: StorageOpenCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Why a commit could not be made durable. */
export type StorageWriteCode = 'DISK_FULL' | 'WRITE_FAILED'

/**
 * A commit did not reach the disk. The transaction is undone, in memory too. The embedded engine is reloading what
 * the disk holds; until it has, every call (reads too) is answered with this error.
 */
export class StorageWriteError extends Error {
  override readonly name = 'StorageWriteError'
  readonly code: StorageWriteCode

  constructor(code: StorageWriteCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
