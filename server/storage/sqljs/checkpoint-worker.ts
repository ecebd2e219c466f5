import { readlinkSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import { loadSqljs } from './engine.ts'
import { nodeFiles } from './files.ts'
import { recover } from './recover.ts'
import { writeSnapshot } from './snapshot.ts'

/** What the main thread passes as `workerData`. */
export interface CheckpointOrder {
  directory: string
  /** The generation whose snapshot is to be made, out of everything before it. */
  target: number
}

/** What the worker posts when the snapshot is in its place. A failure reaches the main thread as an `error` event. */
export interface CheckpointDone {
  /** The snapshot it started from. */
  base: number
  bytes: number
}

/** Each checkpoint rehearses a recovery: it starts from the files, not from the main thread's memory. */
async function makeSnapshot({ directory, target }: CheckpointOrder): Promise<CheckpointDone> {
  const { engine, base } = recover({ files: nodeFiles, sqljs: await loadSqljs(), directory, before: target })
  const [verdict] = engine.read('PRAGMA quick_check', [])
  if (verdict?.['quick_check'] !== 'ok') throw new Error(`quick_check: ${JSON.stringify(verdict)}`)
  const bytes = engine.export()
  engine.close()
  await writeSnapshot(nodeFiles, directory, target, bytes)
  return { base, bytes: bytes.length }
}

/** Lets the main thread go first on a machine with few cores. Linux has priorities per thread; elsewhere nothing happens. */
function stepBack(): void {
  if (process.platform !== 'linux') return
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1))
    if (thread > 0 && thread !== process.pid) setPriority(thread, constants.priority.PRIORITY_LOW)
  } catch {
    // Without /proc it runs at the usual priority.
  }
}

if (parentPort) {
  stepBack()
  const order: CheckpointOrder = workerData
  parentPort.postMessage(await makeSnapshot(order))
}
