import { largest, percentile } from './statistics.ts'

/** How long the event loop was held between two of its turns, in milliseconds. */
export interface Holds {
  longest: number
  p999: number
  /** The longest by processor time of this thread: what the machine gave to others is not in it. */
  ownLongest: number
}

/** Taken once, and touched, so that the watching itself gives neither collector nor kernel anything to do. */
const gaps = new Float64Array(2 ** 22).fill(0)

/** Goes round the event loop without rest while the work is under way, and notes each turn's length. */
export async function watchLoop(work: () => Promise<void>): Promise<Holds> {
  let turns = 0
  let ownLongest = 0
  let watching = true
  let last = performance.now()
  let lastOwn = ownTime()
  const watched = new Promise<void>((resolve) => {
    const turn = () => {
      const now = performance.now()
      const nowOwn = ownTime()
      gaps[turns++ % gaps.length] = now - last
      ownLongest = Math.max(ownLongest, nowOwn - lastOwn)
      last = now
      lastOwn = nowOwn
      if (watching) setImmediate(turn)
      else resolve()
    }
    setImmediate(turn)
  })
  await work().finally(() => (watching = false))
  await watched
  const seen = gaps.slice(0, Math.min(turns, gaps.length))
  return { longest: largest(seen), p999: percentile(seen, 0.999), ownLongest }
}

function ownTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
