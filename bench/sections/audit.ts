import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { verifyFile } from '../../server/cli/audit-verify.ts'
import { createAudit } from '../../server/domain/audit.ts'
import { exportAudit } from '../../server/domain/audit-export.ts'
import { createAuditSeal } from '../../server/domain/audit-seal.ts'
import { createChanges } from '../../server/domain/changes.ts'
import { openStorage } from '../../server/storage/open.ts'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { ATTACKER, ROBOT, SELDOM, seedAudit } from '../audit-trail.ts'
import { type Child, startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { openConnection, requestOf } from '../load.ts'
import { seedPostgres, startPostgres } from '../postgres.ts'
import { copyOf, seeded, type Seeded } from '../seed.ts'
import { median, percentile } from '../statistics.ts'

const EMBEDDED = 200_000
const POSTGRES = 2_000_000
const POSTGRES_QUICK = 200_000
const USERS = 100
const ROUNDS = 20
const LIMIT = 50
const AT_ONCE = 64
const DAY = 86_400_000

type Query = Record<string, string>

export const audit: Section = {
  name: 'audit',
  title: 'The audit',
  async run(bench) {
    const directory = await seedEmbedded(bench)
    const figures = await onEmbedded(bench, directory)
    figures.push(...(await verification(bench, directory.directory)), ...(await appends(bench)))
    const server = await startPostgres()
    if (!server) {
      bench.say('  no PostgreSQL here: it is left out')
      return figures
    }
    try {
      return [...figures, ...(await onPostgres(bench, server.url))]
    } finally {
      await server.stop()
    }
  },
}

async function seedEmbedded(bench: Bench): Promise<Seeded> {
  const seed = await seeded(bench, USERS)
  const directory = copyOf(bench, seed)
  const started = performance.now()
  const database = await openSqljs({ directory, checkpointBytes: Infinity })
  const db = new Kysely<Tables>({ dialect: database.dialect })
  await seedAudit(db, 'sqljs', EMBEDDED)
  await database.checkpoint()
  await database.close()
  bench.say(`  ${EMBEDDED.toLocaleString('en')} entries made in ${Math.round(performance.now() - started)} ms`)
  return { ...seed, directory }
}

async function onEmbedded(bench: Bench, seed: Seeded): Promise<Figure[]> {
  const child = await startLatchkey(copyOf(bench, seed))
  return measure(bench, `sql.js, ${EMBEDDED.toLocaleString('en')} entries`, EMBEDDED, child, seed)
}

async function onPostgres(bench: Bench, url: string): Promise<Figure[]> {
  const total = bench.quick ? POSTGRES_QUICK : POSTGRES
  const seed = await seedPostgres(bench, url, USERS, (index, password_hash) => ({
    username: `person${index}`,
    email: null,
    display_name: null,
    superuser: index === 0 ? 1 : 0,
    permissions: '[]',
    manager_id: null,
    enabled: 1,
    lang: null,
    password_hash,
    require_password_change: 0,
    password_expires: null,
    totp_secret: null,
    totp_confirmed_at: null,
    totp_last_step: 0,
    did: null,
    handle: null,
    avatar_url: null,
    created_at: 0,
    updated_at: 0,
    last_sign_in_at: null,
    search_text: `person${index}`,
    user_id: index + 1,
  }))
  const started = performance.now()
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: 1 }) }),
  })
  await seedAudit(db, 'postgres', total)
  await db.destroy()
  bench.say(
    `  ${total.toLocaleString('en')} entries made on PostgreSQL in ${Math.round(performance.now() - started)} ms`,
  )
  const child = await startLatchkey(seed.directory, {}, ['--database', url])
  return measure(bench, `PostgreSQL, ${total.toLocaleString('en')} entries`, total, child, seed)
}

/** How long each query took, in turns; the first turn warms up. */
async function timesOf<Q>(
  queries: readonly Q[],
  rounds: number,
  ask: (query: Q) => Promise<number>,
): Promise<number[][]> {
  for (const query of queries) await ask(query)
  const times = queries.map((): number[] => [])
  for (let round = 0; round < rounds; round++)
    for (const [index, query] of queries.entries()) times[index]?.push(await ask(query))
  return times
}

async function measure(
  bench: Bench,
  label: string,
  total: number,
  child: Child,
  { tokens }: Seeded,
): Promise<Figure[]> {
  const connection = await openConnection(child)
  const headers = { Cookie: `latchkey_session=${tokens[0]}` }
  const ask = async (query: Record<string, string>) => {
    const path = `/api/audit?${new URLSearchParams(query)}`
    const started = performance.now()
    const { status, text } = await connection.send(requestOf(child.url, { path, headers }))
    if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
    return performance.now() - started
  }
  try {
    const figures: Figure[] = []
    for (const [what, queries] of Object.entries(kindsOf(total))) {
      const times = await timesOf(queries, bench.rounds(ROUNDS), ask)
      const medians = times.map(median)
      const slowest = medians.indexOf(Math.max(...medians))
      const all = times.flat()
      figures.push(
        { what: `${label}: ${what}, median`, value: median(all), unit: 'ms' },
        {
          what: `${label}: ${what}, p99`,
          value: percentile(all, 0.99),
          unit: 'ms',
          bar: { atMost: LIMIT },
          note: `slowest of ${queries.length}: ${new URLSearchParams(queries[slowest])}, median ${medians[slowest]?.toFixed(1)} ms`,
        },
      )
    }
    return figures
  } finally {
    connection.close()
    await child.stop()
  }
}

/** Values that are in a large part of the entries, in few, and in a stretch long ago. */
const VALUES: Record<string, readonly string[]> = {
  event: ['sign_in', 'sign_in_refused', 'settings_changed', 'user_deleted'],
  outcome: ['success', 'refused'],
  actor_id: [ROBOT.user_id, SELDOM.user_id, 1].map(String),
  target_id: [ROBOT.user_id, ATTACKER.target, SELDOM.user_id].map(String),
  user_id: [ROBOT.user_id, ATTACKER.target, 1].map(String),
  ip: [ROBOT.ip, ATTACKER.ip, SELDOM.ip],
}

function kindsOf(total: number): Record<string, Query[]> {
  const single = Object.entries(VALUES).flatMap(([name, values]) => values.map((value): Query => ({ [name]: value })))
  const pairs = single.flatMap((one, index) => single.slice(index + 1).flatMap((other) => joined(one, other)))
  const triples = pairs
    .flatMap((pair) => single.flatMap((one) => joined(pair, one)))
    .filter((_, index) => index % 7 === 0)
  const times: Query[] = [20, 85, 170].map((days) => ({
    from: new Date(Date.now() - (days + 7) * DAY).toISOString(),
    to: new Date(Date.now() - days * DAY).toISOString(),
  }))
  const deep = (queries: Query[]) =>
    queries.flatMap((query) =>
      [0.9, 0.44, 0.01].map((share) => ({ ...query, cursor: String(Math.ceil(total * share)) })),
    )
  return {
    'everything, first and deep pages': [{}, { limit: '200' }, ...deep([{}])],
    'one filter': single,
    'two filters': pairs,
    'three filters': triples,
    'filters, deep pages': deep([...single, ...pairs.filter((_, index) => index % 5 === 0)]),
    'filters and times': [
      ...times,
      ...times.flatMap((time) =>
        [...single, ...pairs].filter((_, index) => index % 4 === 0).flatMap((query) => joined(query, time)),
      ),
    ],
  }
}

/** Both at once; nothing where they ask for two values of the same. */
function joined(one: Query, other: Query): Query[] {
  return Object.keys(other).some((name) => name in one) ? [] : [{ ...one, ...other }]
}

/** A whole export, written and checked in both formats. */
async function verification(bench: Bench, directory: string): Promise<Figure[]> {
  const storage = await openStorage({ directory, log: () => {} })
  const auditSeal = createAuditSeal(randomBytes(32))
  const figures: Figure[] = []
  for (const format of ['jsonl', 'csv'] as const) {
    const started = performance.now()
    const parts: string[] = []
    const order = { filter: {}, said: {}, format }
    for await (const part of exportAudit({ storage, auditSeal, clock: () => Date.now() }, order)) parts.push(part)
    const exported = EMBEDDED / ((performance.now() - started) / 1000)
    const file = join(bench.scratch('export'), `audit.${format}`)
    writeFileSync(file, parts.join(''))
    const rates: number[] = []
    for (let round = 0; round < bench.rounds(8); round++) {
      const begun = performance.now()
      const { entries, fault_count } = await verifyFile(file)
      if (entries !== EMBEDDED || fault_count > 0) throw new Error(`${fault_count} faults in ${entries} entries`)
      rates.push(EMBEDDED / ((performance.now() - begun) / 1000))
    }
    figures.push(
      { what: `entries verified, ${format}`, value: median(rates), unit: '/s', bar: { atLeast: 100_000 } },
      { what: `entries exported, ${format}, sql.js`, value: exported, unit: '/s' },
    )
  }
  await storage.close()
  return figures
}

/** Callers that each wait for their entry to be durable. */
async function appends(bench: Bench): Promise<Figure[]> {
  const storage = await openStorage({ directory: bench.scratch('appends'), log: () => {} })
  const { append } = createAudit({ storage, changes: createChanges(), clock: () => Date.now() })
  const ending = performance.now() + (bench.quick ? 1_500 : 5_000)
  const started = performance.now()
  let written = 0
  const keepBusy = async () => {
    while (performance.now() < ending) {
      await append(
        { event: 'sign_out', user_id: 1 },
        { ip: '192.0.2.7', user_agent: 'bench', request_id: '0198a3b0-7c1d-4e2f-9a3b-000000000000' },
      )
      written += 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, keepBusy))
  const rate = written / ((performance.now() - started) / 1000)
  await storage.close()
  return [{ what: `entries appended durably, ${AT_ONCE} at once, sql.js`, value: rate, unit: '/s' }]
}
