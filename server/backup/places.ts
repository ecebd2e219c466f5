import { randomBytes } from 'node:crypto'
import { lstat, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from '../sync-directory.ts'

/**
 * The directories that a restore makes beside the data directory, so that each step is one rename:
 *
 *   DATA.restoring-STAMP        being unpacked and proved; worth nothing if it is still there afterwards
 *   DATA.restored-STAMP         proved and about to become DATA; the next start lets it if DATA had been moved for it already
 *   DATA.before-restore-STAMP   what was DATA before
 *
 * Only where the last two stand side by side with one stamp, and no DATA, was a restore killed between its last two steps.
 */
const NAMES = ['restoring', 'restored', 'before-restore'] as const
/** See `lockDirectory`. */
const LOCK = 'lock'
/** All that a server leaves which was refused because of the lock. */
const NOTHING = [LOCK, 'latchkey.log']

export type Leftover = { kind: (typeof NAMES)[number]; path: string; stamp: string }

export interface RestorePlaces {
  restoring: string
  restored: string
  before: string
}

export function restorePlaces(directory: string, at: number): RestorePlaces {
  const time = new Date(at).toISOString().replace(/[-:]/g, '').replace(/\..*$/, 'Z')
  // Two within a second must not take each other's.
  const stamp = `${time}-${randomBytes(4).toString('hex')}`
  return {
    restoring: `${directory}.restoring-${stamp}`,
    restored: `${directory}.restored-${stamp}`,
    before: `${directory}.before-restore-${stamp}`,
  }
}

/** What restores have left beside a data directory, the newest first. */
export async function findLeftovers(directory: string): Promise<Leftover[]> {
  const parent = dirname(directory)
  const names = await readdir(parent).catch(() => [])
  return names
    .toSorted()
    .reverse()
    .flatMap((name) => {
      const kind = NAMES.find((one) => name.startsWith(`${basename(directory)}.${one}-`))
      if (!kind) return []
      return [{ kind, path: join(parent, name), stamp: name.slice(`${basename(directory)}.${kind}-`.length) }]
    })
}

/** A restore was killed between its last two steps: takes the last one. Answers what was put in place. */
export async function finishRestore(directory: string): Promise<string | undefined> {
  if (await isThere(directory)) return undefined
  for (const { kind, path, stamp } of await findLeftovers(directory)) {
    const isPair = kind === 'restored' && (await isOwn(path)) && (await isOwn(`${directory}.before-restore-${stamp}`))
    if (!isPair) continue
    await rename(path, directory)
    await syncDirectory(dirname(directory))
    return path
  }
  return undefined
}

/** A directory of this account, and no link to one: in a place where others write, too, they must not slip us theirs. */
async function isOwn(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined)
  return found?.isDirectory() === true && (process.getuid === undefined || found.uid === process.getuid())
}

/** The directory holds something, and nobody said that it may be replaced. */
export class DirectoryOccupied extends Error {
  constructor(directory: string) {
    super(`${directory} is not empty. With --replace it is put aside, and nothing of it is lost.`)
  }
}

/**
 * Puts a proved directory in place of one that is there and locked. Killed at any moment, it leaves the old or the new one usable.
 * Answers where the old one is; undefined: it held nothing. Rejects with `DirectoryOccupied` when it does after all.
 */
export async function putInPlace(
  directory: string,
  { restoring, restored, before }: RestorePlaces,
  replace: boolean,
): Promise<string | undefined> {
  const parent = dirname(directory)
  await rename(restoring, restored)
  await syncDirectory(parent)
  const { ino } = await lstat(restored)
  await rename(directory, before)
  try {
    if (!replace && (await isOccupied(before))) throw new DirectoryOccupied(directory)
    await syncDirectory(parent)
    await rename(restored, directory)
  } catch (error) {
    // Unless a server that started just now has taken the last step.
    if ((await lstat(directory).catch(() => undefined))?.ino !== ino) {
      await rename(before, directory)
      throw error
    }
  }
  await syncDirectory(parent)
  await removeOlder(directory)
  if (await isOccupied(before)) return before
  await rm(before, { recursive: true, force: true })
  return undefined
}

/** What earlier restores had ready must not come back one day. */
async function removeOlder(directory: string): Promise<void> {
  for (const { kind, path } of await findLeftovers(directory))
    if (kind === 'restored' && (await isOwn(path))) await rm(path, { recursive: true, force: true })
}

export async function removeScratch({ restoring, restored }: RestorePlaces): Promise<void> {
  await rm(restoring, { recursive: true, force: true })
  await rm(restored, { recursive: true, force: true })
}

/** Takes away the lock file that a restore made where there was nothing, and the directory if that was made, too. */
export async function removeTraces(directory: string, wasThere: boolean): Promise<void> {
  if (await isOccupied(directory)) return
  if (!wasThere) return rm(directory, { recursive: true, force: true })
  await rm(join(directory, LOCK), { force: true })
}

export async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Whether a directory holds anything of worth. */
export async function isOccupied(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => undefined)
  if (!found) return false
  return !found.isDirectory() || (await readdir(directory)).some((name) => !NOTHING.includes(name))
}
