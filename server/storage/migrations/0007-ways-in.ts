import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** When somebody last came in by his password or ATProto account as it is now, or chose the password himself; null: never. */
export async function up(db: Kysely<Tables>, _engine: Engine['name']): Promise<void> {
  await db.schema.alterTable('users').addColumn('password_proved_at', 'bigint').execute()
  await db.schema.alterTable('users').addColumn('did_proved_at', 'bigint').execute()

  // The row that changes hold which could take the last way in.
  await db.insertInto('meta').values({ name: 'ways_in', value: '' }).execute()

  // Whoever has signed in since his password was set did so by it, as far as anybody can tell now; a temporary one must prove itself.
  await sql`update users set password_proved_at = last_sign_in_at
    where password_hash is not null and require_password_change = 0 and last_sign_in_at is not null
      and (password_set_by is null or password_set_at <= last_sign_in_at)`.execute(db)
  // The handle becomes known at a sign-in or link, and is forgotten when the account changes.
  await sql`update users set did_proved_at = coalesce(last_sign_in_at, created_at)
    where did is not null and handle is not null`.execute(db)
}
