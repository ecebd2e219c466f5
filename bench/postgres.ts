import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type Insertable, Kysely, PostgresDialect, sql } from 'kysely'
import pg from 'pg'
import { inProject } from '../scripts/paths.mjs'
import { findInitdb } from '../scripts/postgres.mjs'
import { migrate } from '../server/storage/migrations/index.ts'
import type { Tables, UserTable } from '../server/storage/tables.ts'
import type { Bench } from './figure.ts'
import { composeKeys, insertSessions, type RowMaker, type Seeded } from './seed.ts'

const AT_ONCE = 5_000

/** A private PostgreSQL with its default settings but without syncs: only what is read is measured here. */
export interface Server {
  url: string
  stop: () => Promise<void>
}

/** Undefined where this machine has no PostgreSQL. */
export async function startPostgres(): Promise<Server | undefined> {
  const initdb = findInitdb()
  if (initdb === undefined) return undefined
  const keeper = inProject('scripts', 'postgres-keeper.mjs')
  const child = spawn(process.execPath, [keeper, initdb], { stdio: ['pipe', 'pipe', 'inherit'], detached: true })
  const exited = once(child, 'exit')
  const [line] = await once(createInterface(child.stdout), 'line')
  const { url } = JSON.parse(String(line)) as { url: string }
  return {
    url: `${url}/postgres`,
    async stop() {
      child.stdin.end()
      await exited
    },
  }
}

/** Fills an empty database, and makes the data directory that goes with it. */
export async function seedPostgres(bench: Bench, url: string, users: number, rowOf: RowMaker): Promise<Seeded> {
  const started = performance.now()
  const directory = bench.scratch(`${users}-users-postgres`)
  const { password_hash, sessions } = await composeKeys(directory, users)
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  await migrate(db, 'postgres')
  const value = String(Date.now())
  await db.insertInto('meta').values({ name: 'set_up', value }).execute()
  await withoutIndexOfParts(db, async () => {
    for (let from = 0; from < users; from += AT_ONCE) {
      const length = Math.min(AT_ONCE, users - from)
      await insertUsers(
        db,
        Array.from({ length }, (_, index) => rowOf(from + index, password_hash)),
      )
    }
  })
  await insertSessions(db, sessions)
  for (const table of ['users', 'user_search', 'user_counts', 'sessions'])
    await sql`vacuum analyze ${sql.table(table)}`.execute(db)
  await db.destroy()
  bench.say(`  ${users.toLocaleString('en')} users made on PostgreSQL in ${Math.round(performance.now() - started)} ms`)
  return { directory, users, tokens: sessions.map(({ token }) => token) }
}

/** As one parameter: a million rows have more of them than a statement may. */
async function insertUsers(db: Kysely<Tables>, rows: Insertable<UserTable>[]): Promise<void> {
  const columns = sql.join(Object.keys(rows[0] ?? {}).map((name) => sql.ref(name)))
  await sql`insert into users (${columns})
    select ${columns} from json_populate_recordset(null::users, ${JSON.stringify(rows)}::json)`.execute(db)
}

/** Made at the end, an index takes half of the time that it takes row by row. */
async function withoutIndexOfParts(db: Kysely<Tables>, fill: () => Promise<void>): Promise<void> {
  const { rows } = await sql<{ definition: string }>`select pg_get_indexdef('user_search_by_part'::regclass)
    as definition`.execute(db)
  await db.schema.dropIndex('user_search_by_part').execute()
  await fill()
  await sql`set maintenance_work_mem = '512MB'`.execute(db)
  for (const { definition } of rows) await sql.raw(definition).execute(db)
}
