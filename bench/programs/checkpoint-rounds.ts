/**
 * Checkpoints of a data directory under light writes, in a process of its own: what else a benchmark holds in memory
 * would be collected at our cost. Prints one JSON line: the rounds.
 */
import { CompiledQuery, Kysely } from 'kysely'
import { openSqljs, type SqljsDatabase } from '../../server/storage/sqljs/open.ts'
import { type Holds, watchLoop } from '../loop-watch.ts'

const UPDATE = 'update users set last_sign_in_at = ? where user_id = ?'
const WRITE_EVERY = 5
const UNTIL_CHECKPOINT = 50

export interface Round {
  calm: Holds
  busy: Holds
  lasted: number
}

const [directory = '', users = '1', times = '1'] = process.argv.slice(2)
const database = await openSqljs({ directory, checkpointBytes: Infinity })
const writing = writeLightly(database, Number(users))
const rounds: Round[] = []
for (let round = 0; round < Number(times); round++) rounds.push(await measureRound(database))
await writing.stop()
await database.close()
process.stdout.write(`${JSON.stringify(rounds)}\n`)

/** A checkpoint, and before it as long a while without one: what holds the loop in both is the machine. */
async function measureRound(database: SqljsDatabase): Promise<Round> {
  let lasted = 0
  const busy = await watchLoop(async () => {
    await pause(UNTIL_CHECKPOINT)
    const started = performance.now()
    await database.checkpoint()
    lasted = performance.now() - started
  })
  const calm = await watchLoop(() => pause(lasted + UNTIL_CHECKPOINT))
  return { calm, busy, lasted }
}

function writeLightly(database: SqljsDatabase, users: number): { stop: () => Promise<void> } {
  const db = new Kysely<unknown>({ dialect: database.dialect })
  const underWay = new Set<Promise<unknown>>()
  let index = 0
  const timer = setInterval(() => {
    const write = db.executeQuery(CompiledQuery.raw(UPDATE, [Date.now(), 1 + (index++ % users)]))
    underWay.add(write)
    void write.finally(() => underWay.delete(write))
  }, WRITE_EVERY)
  return {
    async stop() {
      clearInterval(timer)
      await Promise.all(underWay)
    },
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
