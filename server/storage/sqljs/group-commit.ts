import { setImmediate } from 'node:timers'
import type { Recorded } from './replay.ts'

/**
 * Gathers committed transactions and writes them in batches, one batch at a time. While one is being written, and for
 * the rest of the current turn of the event loop, further commits join the next.
 */
export interface GroupCommit {
  /** Queues a transaction; resolves when it is durable. */
  commit(statements: readonly Recorded[]): Promise<void>
  /** Resolves when everything queued so far is durable; undefined when it already is. */
  settled(): Promise<void> | undefined
  /** Rejects what is gathered and not yet being written. */
  abandon(error: Error): void
  /** Runs a task between two batches, with none being written. */
  between<T>(task: () => Promise<T>): Promise<T>
  /** Commits queued, and batches written, since the start. */
  counts(): { commits: number; flushes: number }
}

export interface GroupCommitOptions {
  /** Writes one batch; undefined means that it is durable already. */
  write(statements: readonly Recorded[]): Promise<void> | undefined
  /** Called when a batch failed, before its callers are told; must abandon what is gathered; answers their error. */
  failed(cause: unknown): Error
  /** Called after each durable batch. */
  written(): void
}

interface Batch {
  statements: Recorded[]
  done: Promise<void>
  resolve: () => void
  reject: (error: Error) => void
}

export function createGroupCommit(options: GroupCommitOptions): GroupCommit {
  let gathering: Batch | undefined
  let writing: Batch | undefined
  let scheduled = false
  let occupied = false
  const tasks: (() => Promise<void>)[] = []
  let commits = 0
  let flushes = 0

  // Imported by name, so that a test's fake timers do not stop the disk.
  function schedule(): void {
    if (scheduled || occupied || (!gathering && tasks.length === 0)) return
    scheduled = true
    setImmediate(turn)
  }

  function turn(): void {
    scheduled = false
    const task = tasks.shift()
    if (task) {
      occupied = true
      void task().finally(release)
      return
    }
    flush()
  }

  function release(): void {
    occupied = false
    schedule()
  }

  function flush(): void {
    const batch = gathering
    if (!batch) return
    gathering = undefined
    writing = batch
    occupied = true
    flushes += 1
    try {
      const pending = options.write(batch.statements)
      if (!pending) finish(batch)
      else
        pending.then(
          () => finish(batch),
          (cause: unknown) => fail(batch, cause),
        )
    } catch (cause) {
      fail(batch, cause)
    }
  }

  function finish(batch: Batch): void {
    writing = undefined
    batch.resolve()
    options.written()
    release()
  }

  function fail(batch: Batch, cause: unknown): void {
    const error = options.failed(cause)
    writing = undefined
    batch.reject(error)
    release()
  }

  function abandon(error: Error): void {
    gathering?.reject(error)
    gathering = undefined
  }

  return {
    commit(statements) {
      commits += 1
      gathering ??= createBatch()
      for (const statement of statements) gathering.statements.push(statement)
      schedule()
      return gathering.done
    },
    settled: () => (gathering ?? writing)?.done,
    abandon,
    between(task) {
      return new Promise((resolve, reject) => {
        tasks.push(() => task().then(resolve, reject))
        schedule()
      })
    },
    counts: () => ({ commits, flushes }),
  }
}

function createBatch(): Batch {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A caller that gave up waiting must not turn a failed disk into an unhandled rejection.
  promise.catch(() => {})
  return { statements: [], done: promise, resolve, reject }
}
