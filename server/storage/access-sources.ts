import { type RawBuilder, sql } from 'kysely'
import type { AuthSource } from './port.ts'
import type { Lifetimes, StoredAccessKind } from './port/access.ts'

/** One row of the board as SQL gives it; `id` of a temporary password is its user's. */
export interface AccessRow {
  id: string | number
  user_id: number
  username: string
  display_name: string | null
  made_by: number | null
  maker_username: string | null
  maker_display_name: string | null
  reason: string | null
  auth_source: AuthSource | null
  amr: string
  created_at: number
  last_used_at: number | null
  expires_at: number | null
  ip: string | null
  user_agent: string | null
}

const nothing = (type: 'integer' | 'bigint' | 'text') => sql`cast(null as ${sql.raw(type)})`

/** Sessions of browsers, those of the startup token included. */
const sessions = ({ now, idle_since, begun_since }: Lifetimes) => sql`
  select s.session_id as id, s.user_id, t.user_id as made_by, t.reason, s.auth_source, s.amr,
    s.created_at, s.last_seen_at as last_used_at, s.expires_at, s.ip, s.user_agent
  from sessions as s left join login_tokens as t on t.uuid = s.login_token
  where s.revoked_at is null and s.kind <> 'developer' and s.expires_at > ${now}
    and s.last_seen_at > ${idle_since} and s.created_at > ${begun_since}`

const developerTokens = ({ now }: Lifetimes) => sql`
  select s.session_id as id, s.user_id, ${nothing('integer')} as made_by, s.name as reason, s.auth_source, s.amr,
    s.created_at, s.last_seen_at as last_used_at, s.expires_at, s.ip, s.user_agent
  from sessions as s where s.revoked_at is null and s.kind = 'developer' and s.expires_at > ${now}`

const loginTokens = ({ now }: Lifetimes) => sql`
  select t.uuid as id, t.login_user_id as user_id, t.user_id as made_by, t.reason, ${nothing('text')} as auth_source,
    '[]' as amr, t.created_at, ${nothing('bigint')} as last_used_at, t.expires_at,
    ${nothing('text')} as ip, ${nothing('text')} as user_agent
  from login_tokens as t where t.deleted_at is null and t.used_at is null and t.expires_at > ${now}`

const temporaryPasswords = ({ now }: Lifetimes) => sql`
  select p.user_id as id, p.user_id, p.password_set_by as made_by, ${nothing('text')} as reason,
    ${nothing('text')} as auth_source, '[]' as amr, coalesce(p.password_set_at, 0) as created_at,
    ${nothing('bigint')} as last_used_at, p.password_expires as expires_at,
    ${nothing('text')} as ip, ${nothing('text')} as user_agent
  from users as p where p.require_password_change = 1 and p.password_hash is not null
    and (p.password_expires is null or p.password_expires > ${now})`

const trustedDevices = ({ now }: Lifetimes) => sql`
  select d.device_id as id, d.user_id, ${nothing('integer')} as made_by, ${nothing('text')} as reason,
    ${nothing('text')} as auth_source, '[]' as amr, d.created_at, d.last_used_at, d.expires_at, d.ip, d.user_agent
  from trusted_devices as d where d.expires_at > ${now}`

/** Where each kind of access is found: what of it lets somebody in, at that moment. */
export const ACCESS_SOURCES: Record<StoredAccessKind, (at: Lifetimes) => RawBuilder<unknown>> = {
  session: sessions,
  login_token: loginTokens,
  temporary_password: temporaryPasswords,
  developer_token: developerTokens,
  trusted_device: trustedDevices,
}
