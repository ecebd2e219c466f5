import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Ended sessions are kept this long, so that their use is answered with "expired" rather than "unknown". */
const KEEP_ENDED = 30 * 24 * HOUR

export interface SweepDeps {
  storage: Storage
  clock: () => number
  log: Log
  /** Forgets what the audit need not keep; ends early when told to. */
  trimAudit: (isStopping: () => boolean) => Promise<void>
}

/** Forgets, a minute after the start and once an hour, what no longer lets anybody in, and what is older than it must be. */
export function startSweeping({ storage, clock, log, trimAudit }: SweepDeps): { stop: () => Promise<void> } {
  let isStopping = false
  let sweeping: Promise<unknown> = Promise.resolve()

  function sweep(): void {
    const now = clock()
    sweeping = Promise.all([
      storage.sessions.sweep(now - KEEP_ENDED),
      storage.limits.sweep(now),
      storage.userImports.sweep(now - DAY),
      storage.atproto.sweep(now - DAY),
      trimAudit(() => isStopping),
    ]).catch((reason: unknown) => {
      log.warn({ err: reason }, 'sweeping failed; it will be tried again')
    })
  }

  const soon = setTimeout(sweep, MINUTE)
  const hourly = setInterval(sweep, HOUR)
  soon.unref()
  hourly.unref()
  return {
    async stop() {
      isStopping = true
      clearTimeout(soon)
      clearInterval(hourly)
      await sweeping
    },
  }
}
