import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely, sql } from 'kysely'
import type { Generated } from 'kysely'
import { onTestFinished } from 'vitest'
import { openSqljs } from '../../../server/storage/sqljs/open.ts'
import type { SqljsDatabase, SqljsInternals, SqljsOptions } from '../../../server/storage/sqljs/open.ts'

export interface TestTables {
  items: { id: Generated<number>; name: string | null; value: string | number | bigint | Uint8Array | null }
  parts: { id: number; item_id: number }
}

export interface Opened extends SqljsDatabase {
  db: Kysely<TestTables>
  /** Events logged so far. */
  events: string[]
}

/** A directory that is removed when the test ends. */
export function buildScratch(): string {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-sqljs-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Opens the directory; closes it when the test ends. */
export async function openScratch(
  directory: string,
  options: Partial<SqljsOptions> = {},
  internals: Partial<SqljsInternals> = {},
): Promise<Opened> {
  const events: string[] = []
  const database = await openSqljs({ directory, log: (event) => events.push(event), ...options }, internals)
  onTestFinished(() => database.close())
  return { ...database, db: new Kysely<TestTables>({ dialect: database.dialect }), events }
}

export async function createTables(db: Kysely<TestTables>): Promise<void> {
  await sql`create table items (id integer primary key autoincrement, name text unique, value)`.execute(db)
  await sql`create table parts (id integer primary key, item_id integer not null references items (id) deferrable initially deferred)`.execute(
    db,
  )
}

export async function addItem(db: Kysely<TestTables>, name: string): Promise<void> {
  await db.insertInto('items').values({ name }).execute()
}

export async function itemNames(db: Kysely<TestTables>): Promise<(string | null)[]> {
  const rows = await db.selectFrom('items').select('name').orderBy('id').execute()
  return rows.map((row) => row.name)
}

/** A copy of the directory as a crash at this moment would leave it, for a process that has no lock on it. */
export function copyOf(directory: string): string {
  const copy = buildScratch()
  for (const name of readdirSync(directory)) {
    // The checkpoint worker may rename or remove a file meanwhile.
    if (!name.startsWith('lock') && existsSync(join(directory, name)))
      copyFileSync(join(directory, name), join(copy, name))
  }
  return copy
}

/** Names and contents of the files, to compare before and after. */
export function fingerprint(directory: string): Record<string, string> {
  const names = readdirSync(directory).filter((name) => !name.startsWith('lock'))
  return Object.fromEntries(
    names.sort().map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(join(directory, name)))
        .digest('hex'),
    ]),
  )
}
