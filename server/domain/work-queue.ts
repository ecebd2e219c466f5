/** Too much work waits already; the caller should come back after this many seconds. */
export class Overloaded extends Error {
  readonly retry_after = 2
  constructor() {
    super('Too much work is waiting')
    this.name = 'Overloaded'
  }
}

/**
 * Runs at most `parallel` jobs at once and lets at most `waiting` wait, in order. One more rejects with
 * `Overloaded` at once, so that a flood is answered instead of piling up.
 */
export function createWorkQueue(parallel: number, waiting: number) {
  const queue: (() => void)[] = []
  let running = 0

  return async function work<T>(job: () => Promise<T>): Promise<T> {
    if (running >= parallel) {
      if (queue.length >= waiting) throw new Overloaded()
      await new Promise<void>((resolve) => queue.push(resolve))
    } else {
      running += 1
    }
    try {
      return await job()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running -= 1
    }
  }
}
