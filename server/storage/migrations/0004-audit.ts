import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** SHA-256 of nothing, base64url: what the first entry is chained to. */
const HASH_OF_NOTHING = '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'

/** What a filter may name; entries are also found by any two of them. */
const PAIRS = [
  ['event'],
  ['refused'],
  ['actor_id'],
  ['target_id'],
  ['ip'],
  ['actor_id', 'event'],
  ['actor_id', 'refused'],
  ['target_id', 'event'],
  ['target_id', 'refused'],
  ['ip', 'event'],
  ['ip', 'refused'],
  ['actor_id', 'target_id'],
  ['actor_id', 'ip'],
  ['target_id', 'ip'],
]
const NULLABLE = new Set(['actor_id', 'target_id', 'ip'])

/** The audit: a chain of entries, where it ends, and what the entries of each hour count. */
export async function up(db: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  const schema = db.schema

  await schema
    .createTable('audit')
    .addColumn('seq', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('event', 'text', (column) => column.notNull())
    .addColumn('refused', 'integer', (column) => column.notNull())
    .addColumn('actor_id', 'integer')
    .addColumn('actor', 'text')
    .addColumn('target_id', 'integer')
    .addColumn('target', 'text')
    .addColumn('method', 'text')
    .addColumn('ip', 'text')
    .addColumn('user_agent', 'text')
    .addColumn('request_id', 'text')
    .addColumn('detail', 'text', (column) => column.notNull())
    .addColumn('previous', 'text', (column) => column.notNull())
    .execute()
  for (const columns of PAIRS) await indexOf(db, engine, columns)

  await schema
    .createTable('audit_head')
    .addColumn('id', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('seq', 'integer', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .addColumn('trimmed_through', 'integer', (column) => column.notNull())
    .execute()
  await db.insertInto('audit_head').values({ id: 1, seq: 0, hash: HASH_OF_NOTHING, trimmed_through: 0 }).execute()

  await schema
    .createTable('audit_hours')
    .addColumn('at', 'bigint', (column) => column.primaryKey().notNull())
    .addColumn('signed_in', 'integer', (column) => column.notNull())
    .addColumn('refused', 'integer', (column) => column.notNull())
    .addColumn('first_seq', 'integer', (column) => column.notNull())
    .addColumn('last_seq', 'integer', (column) => column.notNull())
    .execute()
}

/**
 * SQLite keeps the row's number, which is `seq`, at the end of every index by itself. On PostgreSQL it stands there negated, in
 * one way after one column and in another after two, so that a page finds its order in the right index only: its planner
 * takes two conditions for independent, and would else rather walk a broader index that hardly ever meets both.
 */
async function indexOf(db: Kysely<Tables>, engine: Engine['name'], columns: readonly string[]): Promise<void> {
  const name = sql.ref(`audit_by_${columns.join('_')}`)
  const parts = columns.map((column) => sql.ref(column))
  const place = columns.length === 1 ? sql`(-seq)` : sql`(0 - seq)`
  const keys = sql.join(engine === 'postgres' ? [...parts, place] : parts)
  const there = columns.filter((column) => NULLABLE.has(column)).map((column) => sql`${sql.ref(column)} is not null`)
  const where = there.length > 0 ? sql`where ${sql.join(there, sql` and `)}` : sql``
  await sql`create index ${name} on audit (${keys}) ${where}`.execute(db)
}
