import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** Imports of users, and whom each of them made. */
export async function up(db: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  const schema = db.schema

  await schema
    .createTable('user_imports')
    // Never used twice: it marks the users for good.
    .addColumn('import_no', 'integer', (column) =>
      engine === 'postgres'
        ? column.primaryKey().generatedByDefaultAsIdentity()
        : column.primaryKey().autoIncrement().notNull(),
    )
    .addColumn('import_id', 'text', (column) => column.notNull().unique())
    .addColumn('begun_by', 'integer', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('rows', 'integer', (column) => column.notNull())
    .addColumn('characters', 'bigint', (column) => column.notNull())
    .addColumn('next_part', 'integer', (column) => column.notNull())
    .addColumn('done', 'integer', (column) => column.notNull())
    .addColumn('faulty', 'integer', (column) => column.notNull())
    .addColumn('faults', 'text', (column) => column.notNull())
    .addColumn('imported', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('runner', 'text')
    .addColumn('heartbeat_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('user_imports_by_person').on('user_imports').column('begun_by').execute()

  // Without a foreign key: parts are removed a few at a time, after their import.
  await schema
    .createTable('user_import_parts')
    .addColumn('import_no', 'integer', (column) => column.notNull())
    .addColumn('part', 'integer', (column) => column.notNull())
    .addColumn('rows', 'text', (column) => column.notNull())
    .addColumn('faulty', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('user_import_parts_key', ['import_no', 'part'])
    .execute()

  await schema.alterTable('users').addColumn('import_no', 'integer').execute()
  await sql`create index users_by_import on users (import_no, user_id) where import_no is not null`.execute(db)
}
