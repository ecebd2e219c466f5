import type { Settings } from '../../api/settings.ts'
import type { LimitRule, Storage } from '../storage/port.ts'
import { hashSecret } from './one-time-secret.ts'
import type { Origin } from './sessions.ts'
import { createWorkQueue } from './work-queue.ts'

const SECOND = 1000
const MINUTE = 60 * SECOND

/** Failures of one user name from one address. */
function ruleOfName({ name_failures, name_window, name_cooldown }: Settings): LimitRule {
  return { failures: name_failures, window: name_window * SECOND, block: name_cooldown * SECOND }
}

/** Failures of one address on any route that takes a credential. */
function ruleOfAddress({ address_failures, address_window, address_cooldown }: Settings): LimitRule {
  return { failures: address_failures, window: address_window * SECOND, block: address_cooldown * SECOND }
}

/**
 * Consecutive failures against one name, from anywhere; only a reset or the startup token opens it again. Counted
 * for names that nobody has, too: so a lock does not tell whether the account exists.
 */
function ruleOfAccount({ account_failures }: Settings): LimitRule {
  return { failures: account_failures, window: 30 * 24 * 60 * MINUTE, block: Infinity }
}

/** Tries of one address under way at once, and how many more may wait; hashing does no more than two at once anyway. */
const AT_ONCE = 4
const WAITING = 400
/** What is said of a block without an end. */
const LONG_WAIT = 24 * 60 * MINUTE

export interface AttemptsDeps {
  storage: Storage
  clock: () => number
  settings: () => Settings
}

/** A try that may not be made now; `retry_after` in seconds. */
export interface Refusal {
  retry_after: number
}

/** How a try ended. `open`: neither, as when a code is still to come. */
export type TryOutcome<T> = { outcome: 'failed' | 'succeeded' | 'open'; value: T }

export interface Attempts {
  /** Whether this address has failed too often. Never asked of this machine itself: all desktop clients look alike there. */
  refuseAddress(from: Origin): Promise<Refusal | undefined>
  failAddress(from: Origin): Promise<void>
  /**
   * Runs a job when few others of the same address are under way, so that many tries at once meet the limit of an
   * address like slow ones. Rejects with `Overloaded` when too many wait. This machine itself never waits.
   */
  inTurn<T>(from: Origin, job: () => Promise<T>): Promise<T>
  /**
   * Runs one try at a name, unless it is cooling down or locked. Tries at the same name from the same address run
   * one after another, so that a burst of parallel tries meets the limit like a slow one. A failure counts, a
   * success clears the counters. `exempt` is asked when the account is locked; if it says so, the try runs all the
   * same. A cool-down spares nobody.
   */
  attempt<T>(
    who: { from: Origin; username: string; exempt?: () => Promise<boolean> },
    run: () => Promise<TryOutcome<T>>,
  ): Promise<T | Refusal>
  /** Opens a locked account: after a reset, or break-glass. */
  clearAccount(username: string): Promise<void>
}

export function createAttempts({ storage, clock, settings }: AttemptsDeps): Attempts {
  const lines = new Map<string, Promise<unknown>>()
  const addressKey = (from: Origin) => `address:${from.ip}`
  // Names only as hashes: people type passwords into the wrong box, and the counters are kept for weeks.
  const nameKey = (from: Origin, username: string) => `name:${from.ip}:${hashSecret(username)}`
  const accountKey = (username: string) => `account:${hashSecret(username)}`

  async function refusalOf(key: string): Promise<Refusal | undefined> {
    const now = clock()
    const until = await storage.limits.blockedUntil(key, now)
    if (until === undefined) return undefined
    return { retry_after: Math.ceil(Math.min(until - now, LONG_WAIT) / SECOND) }
  }

  /** Waits for the callers before in this key's line. */
  async function inLine<T>(key: string, job: () => Promise<T>): Promise<T> {
    const before = lines.get(key) ?? Promise.resolve()
    const mine = before.then(job, job)
    lines.set(key, mine)
    try {
      return await mine
    } finally {
      if (lines.get(key) === mine) lines.delete(key)
    }
  }

  const turns = new Map<string, { work: ReturnType<typeof createWorkQueue>; jobs: number }>()

  return {
    async inTurn(from, job) {
      if (from.loopback) return job()
      const turn = turns.get(from.ip) ?? { work: createWorkQueue(AT_ONCE, WAITING), jobs: 0 }
      turns.set(from.ip, turn)
      turn.jobs += 1
      try {
        return await turn.work(job)
      } finally {
        turn.jobs -= 1
        if (turn.jobs === 0) turns.delete(from.ip)
      }
    },

    async refuseAddress(from) {
      return from.loopback ? undefined : refusalOf(addressKey(from))
    },

    async failAddress(from) {
      if (!from.loopback) await storage.limits.fail(addressKey(from), ruleOfAddress(settings()), clock())
    },

    attempt: ({ from, username, exempt }, run) => {
      const name = nameKey(from, username)
      const account = accountKey(username)
      return inLine(name, async () => {
        const coolingDown = await refusalOf(name)
        if (coolingDown) return coolingDown
        const locked = await refusalOf(account)
        if (locked && !(await exempt?.())) return locked
        const { outcome, value } = await run()
        if (outcome === 'succeeded') await storage.limits.clear([name, account])
        if (outcome === 'failed') {
          await Promise.all([
            storage.limits.fail(name, ruleOfName(settings()), clock()),
            storage.limits.fail(account, ruleOfAccount(settings()), clock()),
          ])
        }
        return value
      })
    },

    clearAccount: (username) => storage.limits.clear([accountKey(username)]),
  }
}
