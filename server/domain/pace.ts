import type { Storage } from '../storage/port.ts'
import type { Refusal } from './attempts.ts'
import type { Actor, Origin } from './sessions.ts'

const MINUTE = 60_000
/** Calls of one kind that one session, or one address where nobody is signed in, may make in a minute. */
const MOST = 10

/**
 * `start`: leaves for a provider; `exchange`: comes back; `ask`: makes us ask a provider something; `code`: tries the code of a
 * pairing, which this machine alone may do, and that is whom the limit of an address spares.
 */
export type PacedCall = 'start' | 'exchange' | 'ask' | 'code'

/**
 * Counts calls that make this server work for strangers, or talk to others on their behalf: those that succeed, too. Undefined: go on.
 */
export type Pace = (call: PacedCall, actor: Actor | undefined, from: Origin) => Promise<Refusal | undefined>

export function createPace({ storage, clock }: { storage: Storage; clock: () => number }): Pace {
  const rule = { failures: MOST, window: MINUTE, block: MINUTE }
  return async (call, actor, from) => {
    const key = `pace:${call}:${actor?.session.session_id ?? from.ip}`
    const now = clock()
    const until = await storage.limits.blockedUntil(key, now)
    if (until !== undefined) return { retry_after: Math.ceil((until - now) / 1000) }
    await storage.limits.fail(key, rule, now)
    return undefined
  }
}
