import { type Kysely, sql } from 'kysely'
import type { Engine } from '../engine.ts'
import type { Tables } from '../tables.ts'

/** ATProto sign-in: flows under way, exchange tokens, grants, pairings and client keys; and names of developer tokens. */
export async function up(db: Kysely<Tables>, _engine: Engine['name']): Promise<void> {
  const schema = db.schema

  await schema.alterTable('sessions').addColumn('scope', 'text').execute()
  await schema.alterTable('sessions').addColumn('prefix', 'text').execute()
  await schema.alterTable('sessions').addColumn('name', 'text').execute()
  await sql`create index sessions_by_prefix on sessions (prefix) where prefix is not null`.execute(db)

  await schema
    .createTable('atproto_flows')
    .addColumn('state_hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('nonce_hash', 'text', (column) => column.notNull())
    .addColumn('base', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text')
    .addColumn('user_id', 'integer')
    .addColumn('did', 'text')
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('prompted', 'integer', (column) => column.notNull())
    .addColumn('return_to', 'text')
    .addColumn('token_name', 'text')
    .addColumn('token_days', 'integer')
    .addColumn('pairing_id', 'text')
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('atproto_flows_by_end').on('atproto_flows').column('expires_at').execute()

  await schema
    .createTable('atproto_exchanges')
    .addColumn('token_hash', 'text', (column) => column.primaryKey().notNull())
    .addColumn('nonce_hash', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('grant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'integer', (column) => column.notNull())
    .addColumn('session_id', 'text')
    .addColumn('prompted', 'integer', (column) => column.notNull())
    .addColumn('return_to', 'text')
    .addColumn('token_name', 'text')
    .addColumn('token_days', 'integer')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('atproto_exchanges_by_grant').on('atproto_exchanges').column('grant_id').execute()
  await schema.createIndex('atproto_exchanges_by_end').on('atproto_exchanges').column('expires_at').execute()

  // Without foreign keys: a grant outlives its session and its user, so that it can be revoked at the provider.
  await schema
    .createTable('atproto_grants')
    .addColumn('grant_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('did', 'text', (column) => column.notNull())
    .addColumn('session_id', 'text')
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('scope', 'text', (column) => column.notNull())
    .addColumn('kid', 'text')
    .addColumn('sealed', 'text')
    .addColumn('granted_at', 'bigint', (column) => column.notNull())
    .addColumn('refreshed_at', 'bigint', (column) => column.notNull())
    .addColumn('refreshing_since', 'bigint')
    .execute()
  await schema.createIndex('atproto_grants_by_session').on('atproto_grants').column('session_id').unique().execute()
  await sql`create index atproto_grants_by_refresh on atproto_grants (refreshed_at) where sealed is not null`.execute(
    db,
  )
  await sql`create index atproto_grants_being_refreshed on atproto_grants (refreshing_since)
    where refreshing_since is not null`.execute(db)
  await sql`create index atproto_grants_by_key on atproto_grants (kid) where sealed is not null and kid is not null`.execute(
    db,
  )

  await schema
    .createTable('atproto_pairings')
    .addColumn('pairing_id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('code_hash', 'text', (column) => column.notNull())
    .addColumn('nonce_hash', 'text', (column) => column.notNull())
    .addColumn('handle', 'text', (column) => column.notNull())
    .addColumn('base', 'text', (column) => column.notNull())
    .addColumn('ip', 'text', (column) => column.notNull())
    .addColumn('user_agent', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('reason', 'text')
    .addColumn('sealed_token', 'text')
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .execute()
  await schema.createIndex('atproto_pairings_by_code').on('atproto_pairings').column('code_hash').execute()
  await schema.createIndex('atproto_pairings_by_browser').on('atproto_pairings').column('nonce_hash').execute()
  await schema.createIndex('atproto_pairings_by_end').on('atproto_pairings').column('expires_at').execute()

  await schema
    .createTable('atproto_client_keys')
    .addColumn('kid', 'text', (column) => column.primaryKey().notNull())
    .addColumn('sealed', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute()
}
