import { mkdir, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { KeptOnRestore } from '../storage/port.ts'
import { lockDirectory } from '../storage/sqljs/lock.ts'
import { DATABASE, type Manifest } from './manifest.ts'
import { isOccupied, putInPlace, removeScratch, restorePlaces } from './places.ts'
import type { Progress } from './progress.ts'
import { rehearse, type Rehearsal } from './rehearse.ts'
import { unseal } from './sealed.ts'
import { syncDirectory } from './sync.ts'
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

/** The directory holds something, and nobody said that it may be replaced. */
export class DirectoryOccupied extends Error {}

/**
 * Restores a backup: unpacks it beside the data directory, proves it by starting a server in it, and only then puts it in place.
 * Until then the data directory is not touched. Rejects with `DirectoryOccupied`, `BackupError`, or `StorageOpenError` with
 * DATA_DIR_LOCKED while a server runs in the directory.
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  const { directory, replace, clock } = options
  const occupied = await isOccupied(directory)
  if (occupied && !replace)
    throw new DirectoryOccupied(`${directory} is not empty. With --replace it is put aside, and nothing of it is lost.`)
  // Whoever holds it cannot start a server in it meanwhile.
  const lock = occupied ? lockDirectory(directory) : undefined
  const places = restorePlaces(directory, clock())
  try {
    const { manifest, rehearsal } = await prepare(options, places.restoring)
    options.signal.throwIfAborted()
    options.progress.step('placing')
    // Windows renames no directory in which a file is open.
    if (process.platform === 'win32') lock?.release()
    const before = await putInPlace(directory, places)
    return { manifest, rehearsal, before }
  } catch (error) {
    await removeScratch(places)
    options.signal.throwIfAborted()
    throw error
  } finally {
    lock?.release()
  }
}

async function prepare(
  { file, passphrase, kept, signal, progress }: RestoreOptions,
  into: string,
): Promise<Omit<Restored, 'before'>> {
  await mkdir(dirname(into), { recursive: true, mode: 0o700 })
  await rm(into, { recursive: true, force: true })
  await mkdir(into, { mode: 0o700 })
  progress.step('unpacking')
  const archive = await unseal(file, passphrase)
  const manifest = await unpackBackup(archive, { into, at: (bytes, of) => progress.at(bytes, of), signal })
  signal.throwIfAborted()
  const hasDatabase = manifest.parts.some(({ name }) => name === DATABASE)
  const rehearsal = hasDatabase ? await rehearse(into, manifest, kept, progress) : undefined
  await syncDirectory(into)
  return { manifest, rehearsal }
}
