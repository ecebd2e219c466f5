import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CompiledQuery, Kysely } from 'kysely'
import { openSqljs, type SqljsDatabase } from '../../server/storage/sqljs/open.ts'
import { SNAPSHOT_HEADER } from '../../server/storage/sqljs/snapshot.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { installPeers, openBetterSqlite3 } from '../peers.ts'
import { copyOf, type Seeded, seeded, sessionRow } from '../seed.ts'
import { median, medianRatio } from '../statistics.ts'

/** One durable write of each kind, as the engine under test makes it. */
interface Writer {
  update: (index: number) => Promise<void> | void
  insertTwo: (index: number) => Promise<void> | void
}
type Kind = keyof Writer

const UPDATE = 'update sessions set last_seen_at = ? where secret_hash = ?'
const COLUMNS = Object.keys(sessionRow(0, '', 0))
const INSERT_SESSION = `insert into sessions (${COLUMNS.join(', ')}) values (${COLUMNS.map(() => '?').join(', ')})`
const INSERT_DEVICE =
  'insert into trusted_devices (device_id, user_id, secret_hash, created_at, last_used_at, expires_at, ip, user_agent) values (?, ?, ?, ?, ?, ?, ?, ?)'

const FEW = 1_000
const MANY = 100_000
const COMMITS_PER_SLICE = 100
const WRITERS = 64

export const commit: Section = {
  name: 'commit',
  title: 'Commits of the embedded database',
  async run(bench) {
    await installPeers(bench)
    const few = await seeded(bench, FEW)
    const many = await seeded(bench, MANY)
    const [ours, oursFew] = [await openOurs(bench, many), await openOurs(bench, few)]
    const theirs = openTheirs(bench, many)
    try {
      const figures = [
        ...(await compare(bench, { ours: ours.writer, oursFew: oursFew.writer, theirs: theirs.writer })),
        ...(await manyWriters(bench, ours)),
      ]
      return figures
    } finally {
      theirs.close()
      await oursFew.database.close()
      await ours.database.close()
    }
  },
}

async function compare(bench: Bench, writers: { ours: Writer; oursFew: Writer; theirs: Writer }): Promise<Figure[]> {
  const kinds = ['update', 'insertTwo'] as const
  const names = ['ours', 'oursFew', 'theirs'] as const
  const slices = Object.fromEntries(kinds.map((kind) => [kind, { ours: [], oursFew: [], theirs: [] }])) as unknown as {
    [K in Kind]: { [N in keyof typeof writers]: number[] }
  }
  for (let round = -1; round < bench.rounds(40); round++) {
    for (const [kind, name] of kinds.flatMap((one) => names.map((other) => [one, other] as const))) {
      const middle = await slice(writers[name][kind])
      if (round >= 0) slices[kind][name].push(middle) // the round before the first warms up
    }
  }
  const labels = { update: 'one update', insertTwo: 'a transaction of two inserts' }
  return kinds.flatMap((kind) => {
    const { ours, oursFew, theirs } = slices[kind]
    const label = labels[kind]
    return [
      { what: `${label}, 1,000 users`, value: median(oursFew), unit: 'ms' },
      { what: `${label}, 100,000 users`, value: median(ours), unit: 'ms' },
      {
        what: `${label}: 100,000 over 1,000 users`,
        value: medianRatio(ours, oursFew),
        unit: '×',
        bar: { atMost: 1.3 },
      },
      { what: `${label}, better-sqlite3 (WAL, synchronous=FULL), 100,000 users`, value: median(theirs), unit: 'ms' },
      {
        what: `${label}: ours over better-sqlite3`,
        value: medianRatio(ours, theirs),
        unit: '×',
        bar: { atMost: 1.5 },
        note: 'ours goes through Kysely and waits for the turn of the loop in which commits are gathered, theirs is a bare prepared statement; runs differ by a tenth to either side of the bar',
      },
    ]
  })
}

/** The median time of a commit, in milliseconds, over a slice of them one after another. */
async function slice(write: (index: number) => Promise<void> | void): Promise<number> {
  const times: number[] = []
  for (let index = 0; index < COMMITS_PER_SLICE; index++) {
    const started = performance.now()
    await write(index)
    times.push(performance.now() - started)
  }
  return median(times)
}

export async function manyWriters(bench: Bench, { database, writer }: Ours): Promise<Figure[]> {
  const before = database.stats()
  const started = performance.now()
  const ending = started + (bench.quick ? 500 : 3_000)
  const times: number[] = []
  const write = async (one: number) => {
    for (let index = one; performance.now() < ending; index += WRITERS) {
      const begun = performance.now()
      await writer.update(index)
      times.push(performance.now() - begun)
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, one) => write(one)))
  const seconds = (performance.now() - started) / 1000
  const after = database.stats()
  const commits = after.commits - before.commits
  return [
    {
      what: '64 writers: syncs a commit',
      value: (after.flushes - before.flushes) / commits,
      unit: '',
      bar: { atMost: 0.2 },
    },
    { what: '64 writers: durable commits', value: commits / seconds, unit: '/s' },
    { what: '64 writers: median wait', value: median(times), unit: 'ms' },
  ]
}

interface Ours {
  database: SqljsDatabase
  writer: Writer
}

export async function openOurs(bench: Bench, seed: Seeded): Promise<Ours> {
  const database = await openSqljs({ directory: copyOf(bench, seed), checkpointBytes: Infinity })
  const db = new Kysely<unknown>({ dialect: database.dialect })
  const secrets = await secretsOf(database)
  const run = (sql: string, values: unknown[]) => CompiledQuery.raw(sql, values)
  return {
    database,
    writer: {
      update: async (index) => {
        await db.executeQuery(run(UPDATE, [Date.now() + index, secrets[index % secrets.length]]))
      },
      insertTwo: (index) =>
        db.transaction().execute(async (trx) => {
          await trx.executeQuery(run(INSERT_SESSION, newSession(index)))
          await trx.executeQuery(run(INSERT_DEVICE, newDevice(index)))
        }),
    },
  }
}

/** A snapshot of ours, without its header, is an SQLite file: both sides hold the same tables and rows. */
function openTheirs(bench: Bench, seed: Seeded): { writer: Writer; close: () => void } {
  const name = readdirSync(seed.directory).find((file) => file.endsWith('.snapshot')) ?? ''
  const path = join(bench.scratch('better-sqlite3'), 'people.db')
  writeFileSync(path, readFileSync(join(seed.directory, name)).subarray(SNAPSHOT_HEADER))
  const db = openBetterSqlite3(path)
  for (const pragma of ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON']) db.pragma(pragma)
  const update = db.prepare(UPDATE)
  const session = db.prepare(INSERT_SESSION)
  const device = db.prepare(INSERT_DEVICE)
  const secrets = db.prepare('select secret_hash from sessions').pluck().all().map(String)
  return {
    close: () => db.close(),
    writer: {
      update: (index) => void update.run(Date.now() + index, secrets[index % secrets.length]),
      insertTwo: (index) =>
        db.transaction(() => {
          session.run(...newSession(index))
          device.run(...newDevice(index))
        })(),
    },
  }
}

async function secretsOf(database: SqljsDatabase): Promise<string[]> {
  const rows = database.read<{ secret_hash: string }>(CompiledQuery.raw('select secret_hash from sessions'))
  return rows.map(({ secret_hash }) => secret_hash)
}

function newSession(index: number): unknown[] {
  return Object.values(sessionRow(1 + (index % FEW), randomBytes(32).toString('hex'), Date.now()))
}

function newDevice(index: number): unknown[] {
  const now = Date.now()
  const [device_id, secret_hash] = [randomBytes(16).toString('hex'), randomBytes(32).toString('hex')]
  return [device_id, 1 + (index % FEW), secret_hash, now, now, now + 1e9, '192.0.2.7', 'Firefox']
}
