import type { Selectable } from 'kysely'
import type { SessionRecord, UserRecord } from './port.ts'
import type { SessionTable, UserTable } from './tables.ts'

/** Rows as records: flags become booleans, JSON text becomes lists. What we wrote is trusted. */

/** The columns of a record, named where a query is hot: the others are worth a third of its time. */
export const USER_COLUMNS = [
  'user_id',
  'username',
  'email',
  'display_name',
  'superuser',
  'permissions',
  'manager_id',
  'enabled',
  'lang',
  'password_hash',
  'require_password_change',
  'password_expires',
  'totp_secret',
  'totp_confirmed_at',
  'did',
  'handle',
  'avatar_url',
  'created_at',
  'last_sign_in_at',
] as const satisfies readonly (keyof UserTable)[]

export const SESSION_COLUMNS = [
  'session_id',
  'user_id',
  'kind',
  'auth_source',
  'amr',
  'group_id',
  'created_at',
  'last_seen_at',
  'authenticated_at',
  'expires_at',
  'ip',
  'user_agent',
  'revoked_at',
  'scope',
  'prefix',
  'name',
] as const satisfies readonly (keyof SessionTable)[]

export type UserRow = Pick<Selectable<UserTable>, (typeof USER_COLUMNS)[number]>
export type SessionRow = Pick<Selectable<SessionTable>, (typeof SESSION_COLUMNS)[number]>

export function toUser(row: UserRow): UserRecord {
  return {
    user_id: row.user_id,
    username: row.username,
    email: row.email,
    display_name: row.display_name,
    superuser: row.superuser === 1,
    permissions: row.permissions === '[]' ? [] : JSON.parse(row.permissions),
    manager_id: row.manager_id,
    enabled: row.enabled === 1,
    lang: row.lang,
    password_hash: row.password_hash,
    require_password_change: row.require_password_change === 1,
    password_expires: row.password_expires,
    totp_secret: row.totp_secret,
    totp_confirmed_at: row.totp_confirmed_at,
    did: row.did,
    handle: row.handle,
    avatar_url: row.avatar_url,
    created_at: row.created_at,
    last_sign_in_at: row.last_sign_in_at,
  }
}

export function toSession(row: SessionRow): SessionRecord {
  return {
    session_id: row.session_id,
    user_id: row.user_id,
    kind: row.kind,
    auth_source: row.auth_source,
    amr: JSON.parse(row.amr),
    group_id: row.group_id,
    created_at: row.created_at,
    last_seen_at: row.last_seen_at,
    authenticated_at: row.authenticated_at,
    expires_at: row.expires_at,
    ip: row.ip,
    user_agent: row.user_agent,
    revoked_at: row.revoked_at,
    scope: row.scope,
    prefix: row.prefix,
    name: row.name,
  }
}

/** What a search looks through. Lower-cased here because the engines disagree about letters beyond ASCII. */
export function searchTextOf(user: Pick<UserRecord, 'username' | 'email' | 'display_name' | 'handle'>): string {
  return [user.username, user.display_name, user.email, user.handle].filter(Boolean).join('\n').toLowerCase()
}

export function flag(value: boolean): number {
  return value ? 1 : 0
}
