import { access, readdir, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { syncDirectory } from './sync.ts'

/**
 * The directories that a restore makes beside the data directory, so that each step is one rename:
 *
 *   DATA.restoring-STAMP        being unpacked and proved; worth nothing if it is still there afterwards
 *   DATA.restored-STAMP         proved and about to become DATA; if DATA is missing, the next start lets it
 *   DATA.before-restore-STAMP   what was DATA before
 */
const NAMES = ['restoring', 'restored', 'before-restore'] as const
export type Leftover = { kind: (typeof NAMES)[number]; path: string }

export interface RestorePlaces {
  restoring: string
  restored: string
  before: string
}

export function restorePlaces(directory: string, at: number): RestorePlaces {
  const stamp = new Date(at).toISOString().replace(/[-:]/g, '').replace(/\..*$/, 'Z')
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
      return kind ? [{ kind, path: join(parent, name) }] : []
    })
}

/** A restore was killed between its last two steps: takes the last one. Answers what was put in place. */
export async function finishRestore(directory: string): Promise<string | undefined> {
  if (await exists(directory)) return undefined
  const [newest] = (await findLeftovers(directory)).filter(({ kind }) => kind === 'restored')
  if (!newest) return undefined
  await rename(newest.path, directory)
  await syncDirectory(dirname(directory))
  return newest.path
}

/** Puts a proved directory in place. Killed at any moment, it leaves the old or the new one usable. Answers where the old one is. */
export async function putInPlace(directory: string, { restoring, restored, before }: RestorePlaces) {
  const parent = dirname(directory)
  await rename(restoring, restored)
  await syncDirectory(parent)
  const hadOne = await moveAside(directory, before)
  await syncDirectory(parent)
  try {
    await rename(restored, directory)
  } catch (error) {
    if (hadOne) await rename(before, directory)
    throw error
  }
  await syncDirectory(parent)
  return hadOne ? before : undefined
}

/** An empty directory goes; what holds anything is kept. */
async function moveAside(directory: string, before: string): Promise<boolean> {
  if (!(await exists(directory))) return false
  if ((await readdir(directory)).length === 0) {
    await rmdir(directory)
    return false
  }
  await rename(directory, before)
  return true
}

export async function removeScratch({ restoring, restored }: RestorePlaces): Promise<void> {
  await rm(restoring, { recursive: true, force: true })
  await rm(restored, { recursive: true, force: true })
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Whether a directory holds anything. */
export async function isOccupied(directory: string): Promise<boolean> {
  const found = await stat(directory).catch(() => undefined)
  if (!found) return false
  return !found.isDirectory() || (await readdir(directory)).length > 0
}
