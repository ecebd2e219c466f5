import { IMPORT_MAX_FAULTS, type ImportFault } from '../../api/user-imports.ts'
import type { Storage, UserRecord } from '../storage/port.ts'
import type { ImportProgress, Runner } from '../storage/port/user-imports.ts'
import type { RecordEvent } from './events.ts'
import type { Actor, Sessions } from './sessions.ts'

/** What the work on imports needs from outside. */
export interface ImportJobDeps {
  storage: Storage
  sessions: Sessions
  /** This process as a runner, now. */
  runner: () => Runner
  /** The process is to end: no further step is begun. */
  isStopping: () => boolean
}

/** Work on one import, for one person, and where its events are written. */
export interface ImportJob {
  import_id: string
  /** How many parts there are. */
  parts: number
  actor: Actor
  record: RecordEvent
}

/** All faults counted by their lines, the first of them kept. */
export interface Tally {
  add(faults: readonly ImportFault[]): void
  /** As storage keeps it; the faults only when some came since `stored`. */
  progress(done: number): ImportProgress
  stored(): void
}

export function createTally(faulty: number, faults: readonly ImportFault[]): Tally {
  const kept = [...faults]
  let lines = faulty
  let stored = kept.length
  return {
    add(found) {
      lines += 1
      kept.push(...found.slice(0, IMPORT_MAX_FAULTS - kept.length))
    },
    progress: (done) => ({ done, faulty: lines, ...(kept.length === stored ? {} : { faults: kept }) }),
    stored: () => {
      stored = kept.length
    },
  }
}

/** Lets everybody else have a turn of the event loop. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * The person as he is now, while he may still do what he could when the work began: his session lives, and he has
 * lost no right. Undefined otherwise.
 */
export async function stillAllowed(
  { storage, sessions }: ImportJobDeps,
  { user: before, session }: Actor,
): Promise<UserRecord | undefined> {
  const user = await storage.users.find(before.user_id)
  if (!user?.enabled || (before.superuser && !user.superuser)) return undefined
  if (!user.superuser && !before.permissions.every((permission) => user.permissions.includes(permission)))
    return undefined
  const live = await sessions.listLive(user.user_id)
  return live.some(({ session_id }) => session_id === session.session_id) ? user : undefined
}
