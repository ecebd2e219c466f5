import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { CheckpointDone, CheckpointOrder } from './checkpoint-worker.ts'
import type { Durable, Log } from './durable.ts'
import type { Files } from './files.ts'
import { journalName, readLayout, snapshotName } from './layout.ts'
import type { SyncPace } from './sync-pace.ts'

/** Turns journals into snapshots, in a worker thread that lives only meanwhile; never two at a time. */
export interface Checkpointer {
  /** Makes one now, or joins the one under way. Rejects when it failed; everything goes on without it. */
  run(): Promise<void>
  /** Makes one that holds every commit made durable before the call; answers the generation of its snapshot. */
  fresh(): Promise<number>
  /** Starts one when the journals have grown past the limit and no failure is recent. */
  consider(): void
  /** Checkpoints completed. */
  count(): number
  /** Breaks off the one under way. The next opening removes what it leaves. */
  stop(): Promise<void>
}

export interface CheckpointerOptions {
  files: Files
  directory: string
  durable: Durable
  pace: SyncPace
  log: Log
  /** The worker's program: a `.ts` file in the source tree, a `.js` file beside the bundle. */
  workerUrl: URL
  /** Journal bytes that start a checkpoint. */
  limit: number
  /** Generation of the newest good snapshot. */
  base: number
  /** Bytes of the journals between that snapshot and the journal being written. */
  sealedBytes: number
}

/** The worker writes nothing; without its own streams the first one costs the main thread some 15 ms to set up. */
const DETACHED = { stdout: true, stderr: true } as const

const RETRY_FIRST = 1_000
const RETRY_MOST = 300_000

export function createCheckpointer(options: CheckpointerOptions): Checkpointer {
  const { files, directory, durable, pace, log, limit } = options
  let { base, sealedBytes } = options
  let running: Promise<void> | undefined
  let worker: Worker | undefined
  let resting: NodeJS.Timeout | undefined
  let pause = RETRY_FIRST
  let count = 0
  let stopped = false

  async function checkpoint(rotate: boolean): Promise<void> {
    const before = durable.journal()
    const target = rotate ? await durable.rotate() : before.generation
    if (target > before.generation) sealedBytes += before.bytes
    if (target === base) return
    const covered = sealedBytes
    pace.busy(true)
    try {
      const done = await makeSnapshot({ directory, target })
      await removeBefore(done.base)
      log('checkpoint', { generation: target, bytes: done.bytes })
    } finally {
      pace.busy(false)
    }
    base = target
    sealedBytes -= covered
    count += 1
    pause = RETRY_FIRST
  }

  function makeSnapshot(order: CheckpointOrder): Promise<CheckpointDone> {
    return new Promise((resolve, reject) => {
      if (stopped) throw new Error('the database is closing')
      const started = new Worker(options.workerUrl, {
        workerData: order,
        execArgv: [],
        name: 'checkpoint',
        ...DETACHED,
      })
      worker = started
      started.once('message', resolve)
      started.once('error', reject)
      started.once('exit', (code) => {
        worker = undefined
        reject(new Error(`the checkpoint worker ended early (${code})`))
      })
    })
  }

  /** The snapshot a checkpoint started from, and all since, stay as the fallback. */
  async function removeBefore(kept: number): Promise<void> {
    const { snapshots, journals } = readLayout(files, directory)
    for (const generation of snapshots)
      if (generation < kept) await files.remove(join(directory, snapshotName(generation)))
    for (const generation of journals)
      if (generation < kept) await files.remove(join(directory, journalName(generation)))
  }

  function rest(error: unknown): never {
    if (!stopped) {
      log('checkpoint-failed', { message: error instanceof Error ? error.message : String(error), retryMs: pause })
      clearTimeout(resting)
      resting = setTimeout(() => {
        resting = undefined
        consider()
      }, pause)
      resting.unref()
      pause = Math.min(pause * 2, RETRY_MOST)
    }
    throw error
  }

  function start(rotate: boolean): Promise<void> {
    running ??= checkpoint(rotate)
      .catch(rest)
      .finally(() => (running = undefined))
    return running
  }

  function consider(): void {
    const { bytes } = durable.journal()
    if (running || resting || stopped || sealedBytes + bytes < limit) return
    start(bytes >= limit || sealedBytes === 0).catch(() => {})
  }

  return {
    run: () => start(true),
    async fresh() {
      // One that is under way may have sealed its journal before the latest commits.
      while (running) await running.catch(() => {})
      await start(true)
      return base
    },
    consider,
    count: () => count,
    async stop() {
      stopped = true
      clearTimeout(resting)
      await worker?.terminate()
      await running?.catch(() => {})
    },
  }
}
