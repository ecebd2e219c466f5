/**
 * Decides whether the next journal sync may hold the event loop. On a device that answers in a fraction of a
 * millisecond, going through the thread pool costs more than the sync itself and waits behind password hashes; on a
 * slow one, holding the loop would stop everybody. So the loop is held only while syncs are known to be quick.
 */
export interface SyncPace {
  fast(): boolean
  isBusy(): boolean
  timed(sync: () => Promise<void>): Promise<void>
  timedSync(sync: () => void): void
  /** While something else keeps the device busy (a checkpoint), the loop is never held. */
  busy(yes: boolean): void
}

/** Milliseconds: above this average the thread pool takes over. */
const LIMIT = 0.3
const WEIGHT = 0.2

/** Starts in the background until the device has shown how quick it is. */
export function createSyncPace(limit = LIMIT): SyncPace {
  let average = limit * 2
  let isBusy = false

  function note(start: number): void {
    average += (performance.now() - start - average) * WEIGHT
  }

  return {
    isBusy: () => isBusy,
    fast: () => !isBusy && average < limit,
    async timed(sync) {
      const start = performance.now()
      await sync()
      note(start)
    },
    timedSync(sync) {
      const start = performance.now()
      sync()
      note(start)
    },
    busy: (yes) => {
      isBusy = yes
    },
  }
}
