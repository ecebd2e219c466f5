import type { ImportFault, ImportRow } from '../../api/user-imports.ts'
import type { ImportPart } from '../storage/port/user-imports.ts'
import { breathe, createTally, type ImportJob, type ImportJobDeps, type Tally } from './user-import-job.ts'
import { type ReadRow, readRow } from './user-import-rows.ts'

/** Lines looked over between two turns of the event loop: a few milliseconds of work. */
const LINES_AT_ONCE = 200

/**
 * Looks over all lines of an import and stores what is wrong with them. Its memory is that of the names and mail
 * addresses of the file, some 30 MB for 200,000 lines, and it is given back at the end.
 * `gone`: the check was broken off.
 */
export async function checkImport(deps: ImportJobDeps, job: ImportJob): Promise<'checked' | 'gone'> {
  const imports = deps.storage.userImports
  const tally = createTally(0, [])
  const judge = createJudge(tally)
  let done = 0
  for (let number = 0; number < job.parts; number++) {
    const part = await imports.part(job.import_id, number)
    if (!part || deps.isStopping()) return 'gone'
    const { rows, faulty } = await checkPart(deps, job, part, judge)
    done += rows
    const noted = { part: number, faulty }
    if (!(await imports.noteChecked(job.import_id, deps.runner(), noted, tally.progress(done)))) return 'gone'
    tally.stored()
  }
  return (await imports.endCheck(job.import_id, deps.runner())) ? 'checked' : 'gone'
}

/** How many lines the part has, and which of them are faulty. */
async function checkPart(
  { storage }: ImportJobDeps,
  { actor }: ImportJob,
  part: ImportPart,
  judge: Judge,
): Promise<{ rows: number; faulty: number[] }> {
  const rows: ImportRow[] = JSON.parse(part.rows)
  const faulty: number[] = []
  for (let from = 0; from < rows.length; from += LINES_AT_ONCE) {
    await breathe()
    const read = rows.slice(from, from + LINES_AT_ONCE).map((row) => readRow(row, actor.user))
    const taken = await storage.userImports.taken(namesOf(read))
    read.forEach((one, index) => {
      if (!judge(one, taken)) faulty.push(from + index)
    })
  }
  return { rows: rows.length, faulty }
}

/** Names and mail addresses that belong to somebody. */
type Taken = Awaited<ReturnType<ImportJobDeps['storage']['userImports']['taken']>>

function namesOf(read: readonly ReadRow[]): { usernames: string[]; emails: string[] } {
  const usernames = new Set<string>()
  const emails = new Set<string>()
  for (const { user } of read) {
    if (user.username !== '') usernames.add(user.username)
    if (typeof user.manager === 'string') usernames.add(user.manager)
    if (user.email !== null) emails.add(user.email)
  }
  return { usernames: [...usernames], emails: [...emails] }
}

/** Whether a line is sound; to be asked in the order of the file. */
type Judge = (read: ReadRow, taken: Taken) => boolean

function createJudge(tally: Tally): Judge {
  /** Every name so far, and whether its line is sound: only then can he become a manager. */
  const names = new Map<string, boolean>()
  const emails = new Set<string>()

  return ({ line, user: { username, email, manager }, faults }, taken) => {
    const all: ImportFault[] = [...faults]
    if (names.has(username)) all.push({ line, field: 'username', fault: 'repeated' })
    else if (taken.usernames.has(username)) all.push({ line, field: 'username', fault: 'taken' })
    if (email !== null && emails.has(email)) all.push({ line, field: 'email', fault: 'repeated' })
    else if (email !== null && taken.emails.has(email)) all.push({ line, field: 'email', fault: 'taken' })
    if (typeof manager === 'string' && manager !== username && !taken.usernames.has(manager) && !names.get(manager))
      all.push({ line, field: 'manager', fault: 'unknown' })
    if (username !== '' && !names.has(username)) names.set(username, all.length === 0)
    if (email !== null) emails.add(email)
    if (all.length > 0) tally.add(all)
    return all.length === 0
  }
}
