import type { ImportReason } from '../../api/user-imports.ts'
import type { Storage } from '../storage/port.ts'
import type { ImportProgress, Runner } from '../storage/port/user-imports.ts'
import type { RecordEvent } from './events.ts'
import type { Random } from './one-time-secret.ts'
import type { Actor, Sessions } from './sessions.ts'
import { checkImport } from './user-import-check.ts'
import { breathe, type ImportJob, type ImportJobDeps, stillAllowed } from './user-import-job.ts'
import { runImport } from './user-import-run.ts'
import { createWorkQueue, Overloaded } from './work-queue.ts'

const SECOND = 1000
/** A server says so often that it is at work on its imports. */
const BEAT_EVERY = 15 * SECOND
/** One that was not heard for so long is given up. Clocks of servers that share a database may differ by less. */
const STALE_AFTER = 60 * SECOND
/** Users taken back in one transaction. */
const UNDONE_AT_ONCE = 150
/** Imports that may wait for their turn, one being worked on. */
const WAITING = 20

export interface UserImportsDeps {
  storage: Storage
  sessions: Sessions
  clock: () => number
  random: Random
  /** Where events without a request are written. */
  record: RecordEvent
  /** Work broke off with this error; the import is undone. */
  failed: (error: unknown) => void
}

/** Who asks for work on which import, and where its events are written. */
export interface ImportOrder {
  import_id: string
  actor: Actor
  record: RecordEvent
}

/**
 * The work on imports: in the background, one at a time in this process, in the order of asking. What is stored tells
 * how far it is. Rejects with `Overloaded` when too many wait.
 */
export interface UserImports {
  /** Begins a check. False: the import is not in the state for it. */
  check(order: ImportOrder): Promise<boolean>
  /** Begins to make the users; `faulty` and `state`: why not. */
  run(order: ImportOrder, skip_faulty: boolean): Promise<'begun' | 'state' | 'faulty'>
  /** Breaks the import off and takes back what it made, or forgets it when there is nothing to be taken back. */
  remove(order: ImportOrder): Promise<void>
  /** Begins to undo what servers have left behind, now and from time to time. To be called before work is asked for. */
  start(): Promise<void>
  /** Ends the work after the step under way. A run is undone at the next start, or by another server. */
  stop(): Promise<void>
}

export function createUserImports(deps: UserImportsDeps): UserImports {
  const { storage, clock, random } = deps
  const imports = storage.userImports
  const name = random(8).toString('hex')
  const runner = (): Runner => ({ runner: name, at: clock() })
  const queue = createWorkQueue(1, Infinity)
  /** Under way or waiting, by import. */
  const working = new Map<Promise<void>, string>()
  let isStopping = false
  let timer: NodeJS.Timeout | undefined
  const jobDeps: ImportJobDeps = { storage, sessions: deps.sessions, runner, isStopping: () => isStopping }

  /** Does the work when its turn comes; nobody waits for it. */
  function inBackground(import_id: string, work: () => Promise<void>): void {
    const done = queue(async () => {
      if (!isStopping) await work()
    })
      .catch(deps.failed)
      .finally(() => working.delete(done))
    working.set(done, import_id)
  }

  async function undo(import_id: string, by: number, reason: ImportReason, record: RecordEvent): Promise<void> {
    for (;;) {
      const left = await imports.undoSome(import_id, runner(), UNDONE_AT_ONCE)
      if (left === 'undone') record({ event: 'users_import_undone', by, import_id, reason })
      if (left !== 'more' || isStopping) return
      await breathe()
    }
  }

  async function giveUp({ import_id, actor, record }: ImportJob, reason: ImportReason, found?: ImportProgress) {
    const begun = await imports.beginUndo(import_id, runner(), reason, found)
    if (begun) await undo(import_id, actor.user.user_id, reason, record)
  }

  async function runToEnd(job: ImportJob, skip_faulty: boolean): Promise<void> {
    const { import_id, actor, record } = job
    try {
      const found = await imports.find(import_id)
      if (!found) return
      const result = await runImport(jobDeps, job, found, skip_faulty)
      if (result.end === 'done')
        record({ event: 'users_imported', by: actor.user.user_id, import_id, count: result.count })
      else if (result.end !== 'gone') await giveUp(job, result.end, result.found)
    } catch (error) {
      deps.failed(error)
      // A person who is deleted cannot be the manager of whom he imports: that fails before it is noticed.
      await giveUp(job, (await stillAllowed(jobDeps, actor)) ? 'interrupted' : 'not_allowed')
    }
  }

  async function jobOf({ import_id, actor, record }: ImportOrder): Promise<ImportJob> {
    const found = await imports.find(import_id)
    return { import_id, actor, record, parts: found?.next_part ?? 0 }
  }

  /** Own work under way is heard of first; own work that failed is given up like that of others. */
  async function takeOver(before: number): Promise<void> {
    if (working.size > 0) await imports.beat([...working.values()], runner())
    for (const { import_id, begun_by } of await imports.takeOver(runner(), before)) {
      const { reason } = (await imports.find(import_id)) ?? {}
      inBackground(import_id, () => undo(import_id, begun_by, reason ?? 'interrupted', deps.record))
    }
  }

  function refuseMore(): void {
    if (working.size > WAITING) throw new Overloaded()
  }

  return {
    async check(order) {
      refuseMore()
      if (!(await imports.beginCheck(order.import_id, runner()))) return false
      const job = await jobOf(order)
      inBackground(job.import_id, async () => void (await checkImport(jobDeps, job)))
      return true
    },

    async run(order, skip_faulty) {
      refuseMore()
      const begun = await imports.beginRun(order.import_id, runner(), skip_faulty)
      if (begun !== 'begun') return begun
      const job = await jobOf(order)
      inBackground(job.import_id, () => runToEnd(job, skip_faulty))
      return begun
    },

    async remove({ import_id, actor, record }) {
      if (await imports.forget(import_id)) return
      if (await imports.beginUndo(import_id, runner(), 'cancelled'))
        inBackground(import_id, () => undo(import_id, actor.user.user_id, 'cancelled', record))
    },

    async start() {
      // Nobody else can be at work on a database of our own: whatever runs in it was left behind.
      await takeOver(storage.shared ? clock() - STALE_AFTER : Number.MAX_SAFE_INTEGER).catch(deps.failed)
      timer = setInterval(() => takeOver(clock() - STALE_AFTER).catch(deps.failed), BEAT_EVERY)
      timer.unref()
    },

    async stop() {
      isStopping = true
      clearInterval(timer)
      await Promise.all(working.keys())
      await imports.release(name).catch(deps.failed)
    },
  }
}
