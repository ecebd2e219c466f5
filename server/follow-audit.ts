import type { Changes } from './domain/changes.ts'
import { TOPICS } from '../api/system.ts'
import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'

/** Milliseconds after which those who look at something here are told what happened on another server. */
const EVERY = 500

/** Hears of what other servers on the same database wrote into the audit, while anybody here listens. */
export function startFollowingAudit(storage: Storage, changes: Changes, log: Log): { stop: () => void } {
  let known = -1
  let isAsking = false

  async function look(): Promise<void> {
    const { seq } = await storage.audit.head()
    if (seq !== known) changes.tell(TOPICS)
    known = seq
  }

  const timer = setInterval(() => {
    if (isAsking || !changes.isHeard()) return
    isAsking = true
    look()
      .catch((reason: unknown) => log.warn({ err: reason }, 'what other servers changed could not be read'))
      .finally(() => (isAsking = false))
  }, EVERY)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
