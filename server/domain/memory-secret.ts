import { createSecret, hashSecret, type Random } from './one-time-secret.ts'

/**
 * A one-time secret that lives in this process's memory only: the startup token and the set-up token. Nothing but
 * its hash is kept, so not even a memory dump later on shows it.
 */
export interface MemorySecret {
  /** Makes a new one; the one before it ends. The only time it can be seen. */
  mint(): string
  /** True once for the right secret; then there is none any more. */
  redeem(secret: string): boolean
  /** Whether the secret is right, without using it up. */
  matches(secret: string): boolean
  isWaiting(): boolean
  /** When the one that waits was made. */
  waitingSince(): number | undefined
  /** False: there was none. */
  wipe(): boolean
}

export function createMemorySecret(random: Random, clock: () => number): MemorySecret {
  let waiting: { hash: string; since: number } | undefined

  const matches = (secret: string) => waiting !== undefined && hashSecret(secret) === waiting.hash

  return {
    mint() {
      const secret = createSecret(random)
      waiting = { hash: hashSecret(secret), since: clock() }
      return secret
    },
    redeem(secret) {
      // One synchronous step: nothing can come between the look and the wipe.
      const right = matches(secret)
      if (right) waiting = undefined
      return right
    },
    matches,
    isWaiting: () => waiting !== undefined,
    waitingSince: () => waiting?.since,
    wipe() {
      const had = waiting !== undefined
      waiting = undefined
      return had
    },
  }
}
