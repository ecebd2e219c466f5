import type { ImportFault, ImportRow } from '../../api/user-imports.ts'
import type { UserRecord } from '../storage/port.ts'
import type { ImportBatch, ImportPart, ImportProgress, UserImportRecord } from '../storage/port/user-imports.ts'
import {
  breathe,
  createTally,
  type ImportJob,
  type ImportJobDeps,
  stillAllowed,
  type Tally,
} from './user-import-job.ts'
import { type ReadRow, readRow } from './user-import-rows.ts'

/** Users made in one transaction. On the embedded engine it holds the event loop and all other writers meanwhile. */
const USERS_AT_ONCE = 150

/**
 * How a run ended. `gone`: somebody else broke it off, or the process is stopping. With `conflict` and `not_allowed`
 * it is still to be undone; `found` is what it found until then.
 */
export type RunEnd =
  { end: 'done'; count: number } | { end: 'gone' } | { end: 'conflict' | 'not_allowed'; found: ImportProgress }

interface Run {
  deps: ImportJobDeps
  job: ImportJob
  skip_faulty: boolean
  tally: Tally
  /** Lines worked through. */
  done: number
  made: number
  /** Who is to become a superuser, with the last batch. */
  superusers: string[]
  /** Names whose lines were skipped since the check. Others may bear them now: they manage nobody of this file. */
  skipped: Set<string>
}

/**
 * Makes the users of a checked import, batch by batch. The lines are judged again, by themselves and, in storage, by
 * whoever was made since the check.
 */
export async function runImport(
  deps: ImportJobDeps,
  job: ImportJob,
  { faulty, faults }: UserImportRecord,
  skip_faulty: boolean,
): Promise<RunEnd> {
  const tally = createTally(faulty, faults)
  const run: Run = { deps, job, skip_faulty, tally, done: 0, made: 0, superusers: [], skipped: new Set() }
  for (let number = 0; number < job.parts; number++) {
    const part = await deps.storage.userImports.part(job.import_id, number)
    if (!part) return { end: 'gone' }
    const end = await runPart(run, number, part)
    if (end === 'gone') return { end }
    if (end !== 'inserted') return { end, found: tally.progress(run.done) }
  }
  return { end: 'done', count: run.made }
}

type BatchEnd = 'inserted' | 'gone' | 'conflict' | 'not_allowed'

async function runPart(run: Run, number: number, part: ImportPart): Promise<BatchEnd> {
  const rows: ImportRow[] = JSON.parse(part.rows)
  const faulty = new Set(part.faulty)
  for (let from = 0; from < rows.length; from += USERS_AT_ONCE) {
    await breathe()
    if (run.deps.isStopping()) return 'gone'
    const actor = await stillAllowed(run.deps, run.job.actor)
    if (!actor) return 'not_allowed'
    const some = rows.slice(from, from + USERS_AT_ONCE)
    const finished = from + USERS_AT_ONCE >= rows.length ? number : undefined
    const sound = some.filter((_, index) => !faulty.has(from + index))
    const end = await makeBatch(run, readAll(sound, actor), some.length, finished)
    if (end !== 'inserted') return end
  }
  return 'inserted'
}

function readAll(rows: readonly ImportRow[], actor: UserRecord): ReadRow[] {
  return rows.map((row) => readRow(row, actor))
}

/** Makes the users of some lines: all of them, or all that are sound, or none. */
async function makeBatch(
  run: Run,
  read: readonly ReadRow[],
  lines: number,
  finished: number | undefined,
): Promise<BatchEnd> {
  const { tally, skip_faulty } = run
  let left = read
  for (;;) {
    const faults = faultsIn(run, left)
    const inserted = faults.size > 0 ? faults : await insert(run, left, lines, finished)
    if (inserted === 'inserted') noteMade(run, left, lines)
    if (typeof inserted === 'string') return inserted
    for (const [{ user }, found] of inserted) {
      tally.add(found)
      run.skipped.add(user.username)
    }
    if (!skip_faulty) return 'conflict'
    left = left.filter((one) => !inserted.has(one))
  }
}

function noteMade(run: Run, made: readonly ReadRow[], lines: number): void {
  run.tally.stored()
  run.done += lines
  run.made += made.length
  run.superusers.push(...superusersIn(made))
}

/** What is wrong with lines that the check found sound. */
function faultsIn({ skipped }: Run, read: readonly ReadRow[]): Map<ReadRow, ImportFault[]> {
  const faults = new Map<ReadRow, ImportFault[]>()
  for (const one of read) {
    const { line, user } = one
    const hasNoManager = typeof user.manager === 'string' && skipped.has(user.manager)
    const all: ImportFault[] = [...one.faults]
    if (hasNoManager) all.push({ line, field: 'manager', fault: 'unknown' })
    if (all.length > 0) faults.set(one, all)
  }
  return faults
}

async function insert(
  { deps, job, tally, done, superusers }: Run,
  read: readonly ReadRow[],
  lines: number,
  finished: number | undefined,
): Promise<'inserted' | 'gone' | Map<ReadRow, ImportFault[]>> {
  const batch: ImportBatch = {
    ...tally.progress(done + lines),
    after: done,
    users: read.map(({ user }) => user),
    finished,
    last: finished === job.parts - 1 ? { superusers: [...superusers, ...superusersIn(read)] } : undefined,
  }
  const inserted = await deps.storage.userImports.insert(job.import_id, deps.runner(), batch)
  if (typeof inserted === 'string') return inserted
  const faults = new Map<ReadRow, ImportFault[]>()
  for (const { index, field, fault } of inserted) {
    const one = read[index]
    if (one) faults.set(one, [{ line: one.line, field, fault }])
  }
  return faults
}

function superusersIn(read: readonly ReadRow[]): string[] {
  return read.filter(({ user }) => user.superuser).map(({ user }) => user.username)
}
