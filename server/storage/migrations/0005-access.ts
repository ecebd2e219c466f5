import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** Who gave somebody his way in, and the order in which the access board lists the ways. */
export async function up(db: Kysely<Tables>, _engine: Engine['name']): Promise<void> {
  await db.schema.alterTable('sessions').addColumn('login_token', 'text').execute()
  await db.schema.alterTable('users').addColumn('password_set_at', 'bigint').execute()
  await db.schema.alterTable('users').addColumn('password_set_by', 'integer').execute()

  await sql`create index sessions_by_creation on sessions (created_at, session_id) where revoked_at is null`.execute(db)
  await sql`create index login_tokens_by_creation on login_tokens (created_at, uuid) where deleted_at is null`.execute(
    db,
  )
  await db.schema.createIndex('login_tokens_by_maker').on('login_tokens').column('user_id').execute()
  await sql`create index trusted_devices_by_creation on trusted_devices (created_at, device_id)`.execute(db)
  await sql`create index users_by_temporary_password on users (coalesce(password_set_at, 0), user_id)
    where require_password_change = 1`.execute(db)
}
