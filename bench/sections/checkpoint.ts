import { CompiledQuery, Kysely } from 'kysely'
import { openSqljs, type SqljsDatabase } from '../../server/storage/sqljs/open.ts'
import type { Figure, Section } from '../figure.ts'
import { type Holds, watchLoop } from '../loop-watch.ts'
import { copyOf, seeded } from '../seed.ts'
import { largest, median } from '../statistics.ts'

const USERS = 100_000
const UPDATE = 'update users set last_sign_in_at = ? where user_id = ?'
const WRITE_EVERY = 5
const UNTIL_CHECKPOINT = 50

interface Round {
  calm: Holds
  busy: Holds
  lasted: number
}

export const checkpoint: Section = {
  name: 'checkpoint',
  title: 'Checkpoint at 100,000 users, under light writes',
  async run(bench) {
    const database = await openSqljs({
      directory: copyOf(bench, await seeded(bench, USERS)),
      checkpointBytes: Infinity,
    })
    const writing = writeLightly(database)
    const rounds: Round[] = []
    try {
      for (let round = 0; round < bench.rounds(12); round++) rounds.push(await measureRound(database))
    } finally {
      await writing.stop()
      await database.close()
    }
    return figuresOf(rounds)
  },
}

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

function figuresOf(rounds: readonly Round[]): Figure[] {
  const of = (pick: (round: Round) => number) => median(rounds.map(pick))
  const worstOwn = largest(rounds.map(({ busy }) => busy.ownLongest))
  return [
    {
      what: 'longest hold of the event loop by our own work, worst checkpoint',
      value: worstOwn,
      unit: 'ms',
      bar: { atMost: 20 },
      note: 'processor time of the main thread between two turns of the loop: what other programs take away is not in it; the system counts it in steps of a few milliseconds',
    },
    {
      what: 'longest hold by our own work, worst of the same times without a checkpoint',
      value: largest(rounds.map(({ calm }) => calm.ownLongest)),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, median checkpoint',
      value: of(({ busy }) => busy.longest),
      unit: 'ms',
      bar: { atMost: 20 },
    },
    {
      what: 'longest gap on the clock, median of the same times without',
      value: of(({ calm }) => calm.longest),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, worst checkpoint',
      value: largest(rounds.map(({ busy }) => busy.longest)),
      unit: 'ms',
    },
    {
      what: 'longest gap on the clock, worst without',
      value: largest(rounds.map(({ calm }) => calm.longest)),
      unit: 'ms',
    },
    { what: 'p99.9 of the gaps, during', value: of(({ busy }) => busy.p999), unit: 'ms' },
    { what: 'p99.9 of the gaps, without', value: of(({ calm }) => calm.p999), unit: 'ms' },
    { what: 'a checkpoint lasts', value: of(({ lasted }) => lasted), unit: 'ms' },
  ]
}

function writeLightly(database: SqljsDatabase): { stop: () => Promise<void> } {
  const db = new Kysely<unknown>({ dialect: database.dialect })
  const underWay = new Set<Promise<unknown>>()
  let index = 0
  const timer = setInterval(() => {
    const write = db.executeQuery(CompiledQuery.raw(UPDATE, [Date.now(), 1 + (index++ % USERS)]))
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
