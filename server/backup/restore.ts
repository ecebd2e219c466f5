import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { KeyringError, readKeyring } from '../keyring.ts'
import type { KeptOnRestore } from '../storage/port.ts'
import { lockDirectory } from '../storage/sqljs/lock.ts'
import { DATABASE, type Manifest } from './manifest.ts'
import { DirectoryRefused, refuseDatabase, refuseUnfit, withoutLink } from './fitness.ts'
import {
  DirectoryOccupied,
  isOccupied,
  isThere,
  putInPlace,
  removeScratch,
  removeTraces,
  restorePlaces,
} from './places.ts'
import type { Progress } from './progress.ts'
import { rehearse, type Rehearsal } from './rehearse.ts'
import { BackupError, unseal } from './sealed.ts'
import { syncDirectory } from '../sync-directory.ts'
import { unpackBackup } from './unpack.ts'

export interface RestoreOptions {
  file: string
  directory: string
  passphrase: string
  /** Puts aside what the directory holds. */
  replace: boolean
  kept: KeptOnRestore
  clock: () => number
  signal: AbortSignal
  progress: Progress
}

export interface Restored {
  manifest: Manifest
  /** Absent of a backup of the keys alone: there is nothing to start. */
  rehearsal: Rehearsal | undefined
  /** Where the data directory of before is now; undefined: there was none. */
  before: string | undefined
}

/**
 * Restores a backup: unpacks it beside the data directory, proves it by starting a server in it, and only then puts it in place.
 * Until then the data directory is not touched. Rejects with `DirectoryOccupied`, `DirectoryRefused`, `BackupError`, or
 * `StorageOpenError` with DATA_DIR_LOCKED while a server runs in the directory.
 */
export async function restoreBackup(told: RestoreOptions): Promise<Restored> {
  const directory = await withoutLink(told.directory)
  const options = { ...told, directory }
  const { replace, clock } = options
  if (!replace && (await isOccupied(directory))) throw new DirectoryOccupied(directory)
  await refuseUnfit(directory)
  const wasThere = await isThere(directory)
  const hadLock = await isThere(join(directory, 'lock'))
  // Whoever holds it cannot start a server in it meanwhile, and the directory is there to be held from now on.
  const lock = lockDirectory(directory)
  const places = restorePlaces(directory, clock())
  try {
    const { manifest, rehearsal } = await prepare(options, places.restoring)
    options.signal.throwIfAborted()
    options.progress.step('placing')
    // Windows renames no directory in which a file is open.
    if (process.platform === 'win32') lock.release()
    const before = await putInPlace(directory, places, replace)
    return { manifest, rehearsal, before }
  } catch (error) {
    await removeScratch(places)
    if (process.platform === 'win32') lock.release()
    if (!hadLock) await removeTraces(directory, wasThere)
    options.signal.throwIfAborted()
    throw error
  } finally {
    lock.release()
  }
}

async function prepare(
  { file, directory, passphrase, kept, signal, progress }: RestoreOptions,
  into: string,
): Promise<Omit<Restored, 'before'>> {
  await makeScratch(into)
  progress.step('unpacking')
  const archive = await unseal(file, passphrase)
  const manifest = await unpackBackup(archive, { into, at: (bytes, of) => progress.at(bytes, of), signal })
  signal.throwIfAborted()
  const hasDatabase = manifest.parts.some(({ name }) => name === DATABASE)
  await checkKeys(into)
  if (!hasDatabase) await refuseDatabase(directory)
  const rehearsal = hasDatabase ? await rehearse(into, manifest, kept, progress) : undefined
  await syncDirectory(into)
  return { manifest, rehearsal }
}

async function makeScratch(into: string): Promise<void> {
  try {
    await mkdir(into, { mode: 0o700 })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new DirectoryRefused(
      `A restore unpacks beside the data directory, and ${dirname(into)} does not let it: ${reason}. Run it as an account that ` +
        'may write there, or restore into another directory.',
      { cause },
    )
  }
}

/** Keys that nobody can read would be found out at the next start. */
async function checkKeys(into: string): Promise<void> {
  try {
    await readKeyring(into)
  } catch (cause) {
    if (!(cause instanceof KeyringError)) throw cause
    throw new BackupError('DAMAGED', 'The keys in the backup cannot be read. Use another backup.', { cause })
  }
}
