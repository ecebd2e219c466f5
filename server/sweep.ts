import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** Ended sessions are kept this long, so that their use is answered with "expired" rather than "unknown". */
const KEEP_ENDED = 30 * 24 * HOUR

/** Forgets, once an hour, what no longer lets anybody in. */
export function startSweeping(storage: Storage, clock: () => number, log: Log): { stop: () => void } {
  const timer = setInterval(() => {
    const now = clock()
    Promise.all([
      storage.sessions.sweep(now - KEEP_ENDED),
      storage.limits.sweep(now),
      storage.userImports.sweep(now - DAY),
    ]).catch((reason: unknown) => {
      log.warn({ err: reason }, 'sweeping failed; it will be tried again')
    })
  }, HOUR)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}
