import type { SqlJsStatic } from 'sql.js'
import type { Engine } from './engine.ts'
import { toWriteError } from './errors.ts'
import type { StorageWriteError } from '../errors.ts'
import { JOURNAL_HEADER } from './frame.ts'
import { createGroupCommit } from './group-commit.ts'
import { createJournalFile, openJournal } from './journal.ts'
import type { Journal, JournalOptions } from './journal.ts'
import { journalPath } from './layout.ts'
import { recover } from './recover.ts'
import type { Recovered } from './recover.ts'
import type { Recorded } from './replay.ts'

export type Log = (event: string, detail: Record<string, unknown>) => void

/**
 * The in-memory engine and the journal that makes its commits durable, kept in step: when a write fails, memory is
 * thrown away and read back from the disk up to the last durable batch.
 */
export interface Durable {
  /** The engine, to be used before the next await. @throws StorageWriteError while it is reloading; Error once closed */
  engine(): Engine
  /** Changes when the engine was replaced: what was begun on an older one is undone. */
  epoch(): number
  /** Grows with every commit, and with every reload. */
  version(): number
  /** Makes durable what the engine just committed. */
  commit(statements: readonly Recorded[]): Promise<void>
  /** Resolves when all commits up to now are durable; undefined when they are. */
  settled(): Promise<void> | undefined
  /** Memory and journal no longer agree: reload. Answers the error for whoever was concerned. */
  fail(cause: unknown): StorageWriteError
  /** Seals the journal and goes on with the next, unless it is empty. Answers the generation that now begins. */
  rotate(): Promise<number>
  journal(): { generation: number; bytes: number; isEmpty: boolean }
  counts(): { commits: number; flushes: number }
  /** Lets the last commits reach the disk and closes the files. */
  close(): Promise<void>
}

export interface DurableOptions extends JournalOptions {
  sqljs: SqlJsStatic
  log: Log
  /** Called after each durable batch. */
  written(): void
}

const RETRY_FIRST = 100
const RETRY_MOST = 10_000

export async function openDurable(options: DurableOptions, recovered: Recovered): Promise<Durable> {
  const { directory, log } = options
  let engine = recovered.engine
  let journal: Journal = await openJournal(options, recovered.active)
  let state: 'serving' | 'reloading' | 'closed' = 'serving'
  let failure: StorageWriteError | undefined
  let retry: NodeJS.Timeout | undefined
  let reloading: Promise<void> | undefined
  let epoch = 0
  let version = 1

  const group = createGroupCommit({
    write: (statements) => journal.append(statements),
    failed: (cause) => fail(cause),
    written: options.written,
  })

  function fail(cause: unknown): StorageWriteError {
    const error = toWriteError(cause, journalPath(directory, journal.generation))
    group.abandon(error)
    if (state !== 'serving') return error
    state = 'reloading'
    failure = error
    epoch += 1
    version += 1
    log('write-failed', { code: error.code, message: error.message })
    const cut = { generation: journal.generation, end: journal.end() }
    engine.close()
    reloading = journal.close().then(() => reload(cut, RETRY_FIRST))
    return error
  }

  async function reload(cut: { generation: number; end: number }, pause: number): Promise<void> {
    if (isClosed()) return
    try {
      const fresh = recover({ ...options, cut })
      try {
        journal = await openJournal(options, fresh.active)
      } catch (error) {
        fresh.engine.close()
        throw error
      }
      engine = fresh.engine
      if (isClosed()) return await letGo()
      state = 'serving'
      log('reloaded', { generation: journal.generation, bytes: journal.end() })
    } catch (error) {
      log('reload-failed', { message: error instanceof Error ? error.message : String(error) })
      retry = setTimeout(() => (reloading = reload(cut, Math.min(pause * 2, RETRY_MOST))), pause)
      retry.unref()
    }
  }

  /** Asked after an await, when the compiler would still believe the answer from before it. */
  function isClosed(): boolean {
    return state === 'closed'
  }

  async function letGo(): Promise<void> {
    await journal.close()
    engine.close()
  }

  async function rotate(): Promise<number> {
    const begun = epoch
    const next = journal.generation + 1
    if (journal.isEmpty()) return journal.generation
    await createJournalFile(options, next)
    await group.between(async () => {
      if (state !== 'serving' || epoch !== begun) throw failure ?? new Error('the database was closed')
      const opened = await openJournal(options, {
        generation: next,
        end: JOURNAL_HEADER,
        sequence: 0,
        statements: [],
        dirty: false,
      })
      const complete = journal
      try {
        await complete.seal()
      } catch (cause) {
        await opened.close()
        throw fail(cause)
      }
      journal = opened
      await complete.close()
    })
    return next
  }

  return {
    engine() {
      if (state === 'serving') return engine
      throw failure && state === 'reloading' ? failure : new Error('The database is closed')
    },
    epoch: () => epoch,
    version: () => version,
    commit(statements) {
      version += 1
      return group.commit(statements)
    },
    settled: group.settled,
    fail,
    rotate,
    journal: () => ({ generation: journal.generation, bytes: journal.end(), isEmpty: journal.isEmpty() }),
    counts: group.counts,
    async close() {
      await group.settled()?.catch(() => {})
      await group.between(async () => {})
      const wasServing = state === 'serving'
      state = 'closed'
      clearTimeout(retry)
      await reloading
      if (wasServing) await letGo()
    },
  }
}
