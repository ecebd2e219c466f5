/** Lets one holder at a time in, in order of asking. Uncontended it costs a comparison: no promise is made. */
export interface Mutex {
  /** Takes the lock at once and answers undefined, or answers a promise that resolves when the lock is the caller's. */
  lock(): Promise<void> | undefined
  unlock(): void
}

export function createMutex(): Mutex {
  let held = false
  const waiting: (() => void)[] = []
  return {
    lock() {
      if (held) return new Promise((resolve) => waiting.push(resolve))
      held = true
      return undefined
    },
    unlock() {
      const next = waiting.shift()
      if (next) next()
      else held = false
    },
  }
}
