import { join } from 'node:path'
import type { CompiledQuery, Dialect } from 'kysely'
import type { SqlJsStatic } from 'sql.js'
import { createCheckpointer } from './checkpoint.ts'
import type { Checkpointer } from './checkpoint.ts'
import { createDialect } from './driver.ts'
import { openDurable } from './durable.ts'
import type { Durable, Log } from './durable.ts'
import { loadSqljs } from './engine.ts'
import type { Files } from './files.ts'
import { nodeFiles } from './files.ts'
import { holdSnapshot } from './held-snapshot.ts'
import type { HeldSnapshot } from './held-snapshot.ts'
import { createJournalFile } from './journal.ts'
import type { JournalOptions } from './journal.ts'
import { readLayout, snapshotPath } from './layout.ts'
import { lockDirectory } from './lock.ts'
import { recover } from './recover.ts'
import type { Recovered } from './recover.ts'
import { createSyncPace } from './sync-pace.ts'
import { createTransactions } from './transactions.ts'

export interface SqljsOptions {
  /** The data directory; created with mode 0700 when missing. One process at a time holds it. */
  directory: string
  /** Bytes of journal that start a checkpoint; default 4 MiB. Recovery replays about this much. */
  checkpointBytes?: number
  /**
   * Told about `torn-tail` (an unacknowledged write was cut), `snapshot-damaged` (an older one was used), `checkpoint`,
   * `checkpoint-failed`, `write-failed`, `reloaded`, `reload-failed`.
   */
  log?: Log
}

/** What only tests and the production bundle change. */
export interface SqljsInternals {
  files: Files
  /** The checkpoint worker's program. The bundle has it as an entry of its own, beside the main file. */
  workerUrl: URL
}

/**
 * An embedded database: sql.js in memory, made durable by a journal of statements and by snapshots.
 *
 * Guarantees: the promise of a write resolves after its journal entry was synced to the disk, so an acknowledged write
 * survives the end of the process and of the power. A transaction is there as a whole or not at all. A write whose
 * promise was rejected is not there, in memory or, as far as the disk still obeys, after a restart.
 * Limits: integers within 2^53; the database and its working memory fit in the 2 GB of a wasm heap; statements that
 * write must give the same result when replayed, so no random() and no date functions.
 */
export interface SqljsDatabase {
  /** For `new Kysely({ dialect })`. Destroying that Kysely closes the database. */
  dialect: Dialect
  /**
   * Runs a compiled SELECT at once, through a statement prepared once per SQL text; sees committed data only.
   * `parameters` replaces the ones it was compiled with, so that one compiled query serves all calls.
   * @throws StatementError | StorageWriteError while the engine is reloading after a failed write
   */
  read<Row>(compiled: CompiledQuery<Row>, parameters?: readonly unknown[]): Row[]
  /** Grows with every committed write; a result read at one version is valid while it stays the same. */
  version(): number
  /** Changes when a write failed and memory went back to what the disk holds. */
  epoch(): number
  /** Makes a snapshot off the event loop, or joins the one under way; rejects when it cannot. */
  checkpoint(): Promise<void>
  /** A snapshot, made now, that holds every write acknowledged before the call. Off the event loop. To be released. */
  snapshot(): Promise<HeldSnapshot>
  stats(): { commits: number; flushes: number; journalBytes: number; generation: number; checkpoints: number }
  /** Lets open transactions and the last commits finish, then lets go of the directory. May be called twice. */
  close(): Promise<void>
}

const CHECKPOINT_BYTES = 4 * 1024 * 1024

/** A program beside this one: a `.ts` file among the sources, a `.js` file in the bundle. */
function besideThisFile(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new URL(`./${name}.${extension}`, import.meta.url)
}

/** Opens the directory, recovering what it holds. @throws StorageOpenError, having changed nothing; StorageWriteError */
export async function openSqljs(
  options: SqljsOptions,
  internals: Partial<SqljsInternals> = {},
): Promise<SqljsDatabase> {
  const lock = lockDirectory(options.directory)
  try {
    return await openLocked(options, internals, () => lock.release())
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openLocked(
  options: SqljsOptions,
  internals: Partial<SqljsInternals>,
  unlock: () => void,
): Promise<SqljsDatabase> {
  const { directory, checkpointBytes: limit = CHECKPOINT_BYTES, log = () => {} } = options
  const { files = nodeFiles, workerUrl = besideThisFile('checkpoint-worker') } = internals
  const sqljs = await loadSqljs()
  const pace = createSyncPace()
  const base = { files, directory, log, pace }
  const recovered = await recoverOrCreate({ ...base, sqljs })
  const durable = await openDurable({ ...base, sqljs, written: () => checkpointer.consider() }, recovered)
  const { active, damaged, replayed } = recovered
  const sealedBytes = replayed - active.end
  const checkpointer: Checkpointer = createCheckpointer({
    ...base,
    durable,
    workerUrl,
    limit,
    base: recovered.base,
    sealedBytes,
  })
  if (damaged.length > 0) checkpointer.run().catch(() => {})
  else checkpointer.consider()
  return createDatabase(directory, durable, checkpointer, unlock)
}

interface RecoverContext extends JournalOptions {
  sqljs: SqlJsStatic
  log: Log
}

async function recoverOrCreate(options: RecoverContext): Promise<Recovered> {
  const { files, directory, log } = options
  const layout = readLayout(files, directory)
  if (layout.snapshots.length === 0 && layout.journals.length === 0) await createJournalFile(options, 1)
  const recovered = recover(options)
  for (const { generation, reason } of recovered.damaged) {
    const path = snapshotPath(directory, generation)
    await files.rename(path, `${path}.damaged`)
    log('snapshot-damaged', { path, reason, base: recovered.base })
  }
  for (const name of layout.unfinished) await files.remove(join(directory, name))
  const { active } = recovered
  if (active.dirty) log('torn-tail', { generation: active.generation, end: active.end })
  return recovered
}

function createDatabase(
  directory: string,
  durable: Durable,
  checkpointer: Checkpointer,
  unlock: () => void,
): SqljsDatabase {
  const transactions = createTransactions(durable)
  let closing: Promise<void> | undefined

  async function closeAll(): Promise<void> {
    await transactions.alone(async () => {
      await checkpointer.stop()
      await durable.close()
    })
    unlock()
  }

  const close = (): Promise<void> => (closing ??= closeAll())
  return {
    dialect: createDialect(transactions, close),
    // Kysely leaves it to the driver that rows are what the query's type says.
    read: <Row>(compiled: CompiledQuery<Row>, parameters = compiled.parameters) =>
      transactions.read(compiled.sql, parameters) as Row[],
    version: () => durable.version(),
    epoch: () => durable.epoch(),
    checkpoint: () => checkpointer.run(),
    snapshot: async () => holdSnapshot(directory, await checkpointer.fresh()),
    stats() {
      const { generation, bytes } = durable.journal()
      return { ...durable.counts(), journalBytes: bytes, generation, checkpoints: checkpointer.count() }
    },
    close,
  }
}
