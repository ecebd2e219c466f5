const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** The person wants no more of it. */
export class Cancelled extends Error {}

/** Runs something that a signal cancels; it cleans up and rejects with `Cancelled`. A second signal ends the process at once. */
export async function cancellable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const cancelling = new AbortController()
  const cancel = () => cancelling.abort(new Cancelled('Cancelled. Nothing was changed, and nothing was left behind.'))
  for (const signal of SIGNALS) process.once(signal, cancel)
  try {
    return await work(cancelling.signal)
  } finally {
    for (const signal of SIGNALS) process.off(signal, cancel)
  }
}
