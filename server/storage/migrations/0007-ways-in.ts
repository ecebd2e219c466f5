import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** When somebody last came in by his password or ATProto account as it is now, or chose the password himself; null: never. */
export async function up(db: Kysely<Tables>, _engine: Engine['name']): Promise<void> {
  await db.schema.alterTable('users').addColumn('password_proved_at', 'bigint').execute()
  await db.schema.alterTable('users').addColumn('did_proved_at', 'bigint').execute()

  // The row that changes hold which could take the last way in.
  await db.insertInto('meta').values({ name: 'ways_in', value: '' }).execute()

  // Only where the last sign-in can have been by the password as it is now; a temporary one must prove itself. Where we cannot tell,
  // it counts as unproven: that shuts nobody out, and the next sign-in proves it.
  await sql`update users set password_proved_at = last_sign_in_at
    where password_hash is not null and require_password_change = 0 and last_sign_in_at is not null
      and ((password_set_at <= last_sign_in_at and not ${cameOtherwise}) or (password_set_at is null and ${isHere}))`.execute(
    db,
  )
  // The handle becomes known at a sign-in or link, and is forgotten when the account changes.
  await sql`update users set did_proved_at = coalesce(last_sign_in_at, created_at)
    where did is not null and handle is not null`.execute(db)
}

/** That last sign-in was by a login token, a startup token or an ATProto account. */
const cameOtherwise = sql`(
  exists (select 1 from sessions where sessions.user_id = users.user_id and sessions.kind <> 'developer'
    and sessions.created_at = users.last_sign_in_at and sessions.auth_source <> 'password')
  or exists (select 1 from login_tokens where login_tokens.login_user_id = users.user_id
    and login_tokens.used_at = users.last_sign_in_at))`

/** A session that the password began still stands: whoever sets another ends it. Of passwords that old and of imported ones we know no more. */
const isHere = sql`exists (select 1 from sessions where sessions.user_id = users.user_id and sessions.kind <> 'developer'
  and sessions.auth_source = 'password' and sessions.revoked_at is null)`
