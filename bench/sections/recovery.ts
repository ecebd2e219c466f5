import { randomBytes } from 'node:crypto'
import { cpSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Kysely } from 'kysely'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { runProgram } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { copyOf, seeded, sessionRow } from '../seed.ts'
import { median } from '../statistics.ts'

const REOPEN = fileURLToPath(new URL('../programs/reopen.ts', import.meta.url))
/** Where a checkpoint would start. */
const FULL = 4 * 1024 * 1024
const WRITERS = 64
const TIMES = 8

export const recovery: Section = {
  name: 'recovery',
  title: 'Recovery after a crash',
  async run(bench) {
    const figures: Figure[] = []
    for (const users of [1_000, 100_000]) figures.push(...(await measure(bench, users)))
    return figures
  },
}

async function measure(bench: Bench, users: number): Promise<Figure[]> {
  const directory = copyOf(bench, await seeded(bench, users))
  const withoutJournal = await reopen(bench, directory)
  const signIns = await fillJournal(directory, users)
  const title = `${users.toLocaleString('en')} users`
  return [
    {
      what: `${title} and a full journal (4 MiB)`,
      value: await reopen(bench, directory),
      unit: 's',
      bar: { atMost: 2 },
      note: `${signIns.toLocaleString('en')} sign-ins since the last checkpoint, replayed in a new process`,
    },
    { what: `${title}, journal empty`, value: withoutJournal, unit: 's' },
  ]
}

/** Sign-ins, as the product writes them, until a checkpoint would be due. */
async function fillJournal(directory: string, users: number): Promise<number> {
  const database = await openSqljs({ directory, checkpointBytes: Infinity })
  const db = new Kysely<Tables>({ dialect: database.dialect })
  let signIns = 0
  const signIn = async () => {
    while (database.stats().journalBytes < FULL - 64 * 1024) {
      const user_id = 1 + (signIns++ % users)
      await db.transaction().execute(async (trx) => {
        await trx.updateTable('users').set({ last_sign_in_at: Date.now() }).where('user_id', '=', user_id).execute()
        const row = sessionRow(user_id, randomBytes(32).toString('hex'), Date.now())
        await trx.insertInto('sessions').values(row).execute()
      })
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, signIn))
  await database.close()
  return signIns
}

/** Seconds that a new process needs to open the directory, median. Every time on a fresh copy. */
async function reopen(bench: Bench, directory: string): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < bench.rounds(TIMES); round++) {
    const copy = bench.scratch('reopened')
    cpSync(directory, copy, { recursive: true })
    times.push(Number(await runProgram(REOPEN, [copy])))
  }
  return median(times) / 1000
}
