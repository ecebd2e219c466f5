import type { ClientKeys } from './domain/client-keys.ts'
import type { Grants } from './domain/grants.ts'
import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'

const SOON = 200
/** Not more often than this: it looks at every grant. */
const SELDOM = 3_000
const EVERY = 10 * 60_000

export interface GrantTending {
  start(): Promise<void>
  /** Looks after them in a moment: a session has just ended. */
  soon: () => void
  stop(): Promise<void>
}

interface GrantTendingDeps {
  storage: Storage
  grants: Grants
  clientKeys: ClientKeys
  log: Log
}

/** Looks after what providers granted: every ten minutes, and when a session has ended. */
export function createGrantTending({ storage, grants, clientKeys, log }: GrantTendingDeps): GrantTending {
  let isStopping = false
  let isTending = false
  let tending: Promise<unknown> = Promise.resolve()
  let waiting: NodeJS.Timeout | undefined
  let regularly: NodeJS.Timeout | undefined

  let tended_at = -Infinity

  function tend(): void {
    waiting = undefined
    // A provider that is slow makes a round long; the next one does not queue up behind it.
    if (isTending) return
    isTending = true
    tended_at = performance.now()
    tending = grants
      .tend(() => isStopping)
      .then(() => clientKeys.sweep())
      .catch((error: unknown) => log.warn({ err: error }, 'looking after grants failed; it will be tried again'))
      .finally(() => (isTending = false))
  }

  /** What has just ended may have been passed by already: it is looked at after the round under way. */
  function tendOnceFree(): void {
    waiting = undefined
    void tending.then(tend)
  }

  return {
    async start() {
      // Nobody else writes to the embedded database: what was under way ended with the process that sent it.
      if (!storage.shared) await grants.endInterrupted()
      regularly = setInterval(tend, EVERY)
      regularly.unref()
    },
    soon() {
      if (isStopping || waiting) return
      waiting = setTimeout(tendOnceFree, Math.max(SOON, tended_at + SELDOM - performance.now()))
      waiting.unref()
    },
    async stop() {
      isStopping = true
      clearTimeout(waiting)
      clearInterval(regularly)
      await tending
    },
  }
}
