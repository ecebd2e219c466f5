import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** Users, sessions and everything that signs somebody in. */
export async function up(db: Kysely<Tables>, engine: Engine['name']): Promise<void> {
  const schema = db.schema

  await schema
    .createTable('users')
    .addColumn('user_id', 'integer', (column) =>
      engine === 'postgres'
        ? column.primaryKey().generatedByDefaultAsIdentity()
        : column.primaryKey().autoIncrement().notNull(),
    )
    .addColumn('username', 'text', (column) => column.notNull().unique())
    .addColumn('email', 'text', (column) => column.unique())
    .addColumn('display_name', 'text')
    .addColumn('superuser', 'integer', (column) => column.notNull())
    .addColumn('permissions', 'text', (column) => column.notNull())
    .addColumn('manager_id', 'integer', (column) => column.references('users.user_id').onDelete('set null'))
    .addColumn('enabled', 'integer', (column) => column.notNull())
    .addColumn('lang', 'text')
    .addColumn('password_hash', 'text')
    .addColumn('require_password_change', 'integer', (column) => column.notNull())
    .addColumn('password_expires', 'bigint')
    .addColumn('totp_secret', 'text')
    .addColumn('totp_confirmed_at', 'bigint')
    .addColumn('totp_last_step', 'bigint', (column) => column.notNull().defaultTo(0))
    .addColumn('did', 'text', (column) => column.unique())
    .addColumn('handle', 'text')
    .addColumn('avatar_url', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addColumn('last_sign_in_at', 'bigint')
    .addColumn('search_text', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('users_by_manager').on('users').column('manager_id').execute()
  await schema.createIndex('users_by_creation').on('users').columns(['created_at', 'user_id']).execute()
  await sql`create index users_by_sign_in on users (coalesce(last_sign_in_at, 0), user_id)`.execute(db)
  await sql`create index users_who_are_superusers on users (user_id) where superuser = 1 and enabled = 1`.execute(db)

  await schema
    .createTable('sessions')
    .addColumn('session_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.user_id').onDelete('cascade'))
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('auth_source', 'text', (column) => column.notNull())
    .addColumn('amr', 'text', (column) => column.notNull())
    .addColumn('group_id', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addColumn('authenticated_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('ip', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('revoked_at', 'bigint')
    .execute()
  await schema.createIndex('sessions_by_user').on('sessions').column('user_id').execute()
  await schema.createIndex('sessions_by_group').on('sessions').column('group_id').execute()
  await schema.createIndex('sessions_by_end').on('sessions').column('expires_at').execute()

  await schema
    .createTable('recovery_codes')
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.user_id').onDelete('cascade'))
    .addColumn('hash', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('recovery_codes_key', ['user_id', 'hash'])
    .execute()

  await schema
    .createTable('trusted_devices')
    .addColumn('device_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('user_id', 'integer', (column) => column.notNull().references('users.user_id').onDelete('cascade'))
    .addColumn('secret_hash', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('ip', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('trusted_devices_by_user').on('trusted_devices').column('user_id').execute()

  await schema
    .createTable('login_tokens')
    .addColumn('uuid', 'text', (column) => column.primaryKey().notNull())
    .addColumn('secret_hash', 'text', (column) => column.notNull().unique())
    .addColumn('user_id', 'integer', (column) => column.notNull())
    .addColumn('login_user_id', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('redirect_to', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('used_at', 'bigint')
    .addColumn('used_ip', 'text')
    .addColumn('deleted_at', 'bigint')
    .execute()
  await schema.createIndex('login_tokens_by_target').on('login_tokens').column('login_user_id').execute()

  await schema
    .createTable('limits')
    .addColumn('key', 'text', (column) => column.primaryKey().notNull())
    .addColumn('count', 'integer', (column) => column.notNull())
    .addColumn('window_start', 'bigint', (column) => column.notNull())
    .addColumn('blocked_until', 'bigint')
    .addColumn('forget_at', 'bigint', (column) => column.notNull())
    .execute()

  await schema
    .createTable('settings')
    .addColumn('name', 'text', (column) => column.primaryKey().notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute()
}
