/**
 * A process to be killed: eight writers commit numbered rows and consume one-time tokens, and each acknowledgement is
 * printed after its promise resolved. Started as `node writer.ts DIRECTORY CHECKPOINT_BYTES`.
 *
 *   ready                    serving
 *   row WRITER NUMBER        the transaction of that row, and of its twin, was acknowledged
 *   token WRITER NUMBER      that token was consumed, by exactly one of two simultaneous tries
 *   checkpoint               one was completed
 */
import { writeSync } from 'node:fs'
import { Kysely, sql } from 'kysely'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import { WRITERS, bodyOf } from './tables.ts'
import type { CrashTables } from './tables.ts'

const [directory = '', checkpointBytes = ''] = process.argv.slice(2)

function report(line: string): void {
  writeSync(1, `${line}\n`)
}

function log(event: string): void {
  if (event === 'checkpoint') report('checkpoint')
  else if (event !== 'torn-tail') report(`trouble ${event}`)
}

const { dialect } = await openSqljs({ directory, checkpointBytes: Number(checkpointBytes), log })
const db = new Kysely<CrashTables>({ dialect })
await sql`create table if not exists rows (writer integer, number integer, body text, primary key (writer, number))`.execute(
  db,
)
await sql`create table if not exists twins (id integer primary key autoincrement, writer integer, number integer)`.execute(
  db,
)
await sql`create table if not exists tokens (writer integer, number integer, used integer, primary key (writer, number))`.execute(
  db,
)
report('ready')

async function addRow(writer: number, number: number): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('rows')
      .values({ writer, number, body: bodyOf(writer, number) })
      .execute()
    await tx.insertInto('twins').values({ writer, number }).execute()
    await tx.insertInto('tokens').values({ writer, number, used: null }).execute()
  })
  report(`row ${writer} ${number}`)
}

async function consume(writer: number, number: number): Promise<boolean> {
  const query = db
    .updateTable('tokens')
    .set({ used: 1 })
    .where('writer', '=', writer)
    .where('number', '=', number)
    .where('used', 'is', null)
  return (await query.executeTakeFirstOrThrow()).numUpdatedRows === 1n
}

async function write(writer: number): Promise<void> {
  const last = await db
    .selectFrom('rows')
    .select((eb) => eb.fn.max('number').as('number'))
    .where('writer', '=', writer)
    .executeTakeFirst()
  for (let number = (last?.number ?? 0) + 1; ; number++) {
    await addRow(writer, number)
    if (number % 3 !== 0) continue
    const wins = await Promise.all([consume(writer, number), consume(writer, number)])
    if (wins[0] === wins[1]) report(`trouble token ${writer} ${number} was consumed ${wins[0] ? 'twice' : 'never'}`)
    report(`token ${writer} ${number}`)
  }
}

await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
