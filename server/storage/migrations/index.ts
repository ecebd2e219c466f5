import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import { StorageOpenError } from '../errors.ts'
import type { Tables } from '../tables.ts'
import * as first from './0001-first.ts'
import * as search from './0002-search.ts'
import * as userImports from './0003-user-imports.ts'
import * as audit from './0004-audit.ts'
import * as access from './0005-access.ts'
import * as atproto from './0006-atproto.ts'
import * as waysIn from './0007-ways-in.ts'

type Migration = (db: Kysely<Tables>, engine: Engine['name']) => Promise<void>

/** In order, for ever: a released migration is never edited, only followed by another. */
const MIGRATIONS: readonly Migration[] = [
  first.up,
  search.up,
  userImports.up,
  audit.up,
  access.up,
  atproto.up,
  waysIn.up,
]

/** PostgreSQL advisory lock that lets one server migrate at a time. Any constant of our own. */
const MIGRATION_LOCK = 4_785_231

/**
 * Brings the database to this program's version, in one transaction. A database written by a newer program is
 * refused with DATABASE_NEWER and left as it is.
 */
export async function migrate(db: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  await db.transaction().execute(async (trx) => {
    if (engine === 'postgres') await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(trx)
    await trx.schema
      .createTable('meta')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey().notNull())
      .addColumn('value', 'text', (column) => column.notNull())
      .execute()
    const version = await readVersion(trx)
    if (version > MIGRATIONS.length) {
      throw new StorageOpenError(
        'DATABASE_NEWER',
        `The database has version ${version}, this program knows up to ${MIGRATIONS.length}. Install a newer Latchkey; nothing was changed.`,
      )
    }
    if (version === MIGRATIONS.length) return
    for (const up of MIGRATIONS.slice(version)) await up(trx, engine)
    await trx
      .insertInto('meta')
      .values({ name: 'version', value: String(MIGRATIONS.length) })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: String(MIGRATIONS.length) }))
      .execute()
  })
}

async function readVersion(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', 'version').executeTakeFirst()
  return row ? Number(row.value) : 0
}
