import type { Access } from '../../api/access.ts'
import type { Settings } from '../../api/settings.ts'
import type { LoginToken, LoginTokenState } from '../../api/login-tokens.ts'
import type { User } from '../../api/users.ts'
import type { ListedLoginToken, LoginTokenRecord, PersonRecord, SessionRecord, UserRecord } from '../storage/port.ts'
import { type AnyAccess, endOf } from './access.ts'

/** Records as the wire shows them. */

export function iso(time: number): string {
  return new Date(time).toISOString()
}

function isoOrNull(time: number | null): string | null {
  return time === null ? null : iso(time)
}

export function toWireUser(user: UserRecord): User {
  return {
    user_id: user.user_id,
    username: user.username,
    email: user.email,
    display_name: user.display_name,
    superuser: user.superuser,
    permissions: user.permissions,
    manager_id: user.manager_id,
    enabled: user.enabled,
    lang: user.lang,
    require_password_change: user.require_password_change,
    password_expires: isoOrNull(user.password_expires),
    has_password: user.password_hash !== null,
    totp_enabled: user.totp_confirmed_at !== null,
    did: user.did,
    handle: user.handle,
    avatar_url: user.avatar_url,
    created_at: iso(user.created_at),
    last_sign_in_at: isoOrNull(user.last_sign_in_at),
  }
}

/** `viewer` is the session of who asks: it is marked as the current one. */
export function toWireSession(session: SessionRecord, viewer: SessionRecord) {
  return {
    session_id: session.session_id,
    kind: session.kind,
    auth_source: session.auth_source,
    amr: session.amr,
    created_at: iso(session.created_at),
    last_seen_at: iso(session.last_seen_at),
    expires_at: iso(session.expires_at),
    ip: session.ip,
    user_agent: session.user_agent,
    current: session.session_id === viewer.session_id,
  }
}

export function toWireLoginToken({ token, user, login_user }: ListedLoginToken, now: number): LoginToken {
  return {
    uuid: token.uuid,
    user_id: token.user_id,
    user: user && toPerson(user),
    login_user_id: token.login_user_id,
    login_user: login_user && toPerson(login_user),
    status: statusOf(token, now),
    reason: token.reason,
    redirect_to: token.redirect_to,
    created_at: iso(token.created_at),
    expires_at: iso(token.expires_at),
    used_at: isoOrNull(token.used_at),
    used_ip: token.used_ip,
    deleted_at: isoOrNull(token.deleted_at),
  }
}

/** `viewer` is the session of who asks: it is marked as the current one. */
export function toWireAccess(access: AnyAccess, viewer: SessionRecord, settings: Settings): Access {
  return {
    kind: access.kind,
    id: access.id,
    user: access.user,
    made_by: access.made_by,
    reason: access.reason,
    auth_source: access.auth_source,
    amr: access.amr,
    created_at: access.created_at === 0 ? null : iso(access.created_at),
    last_used_at: isoOrNull(access.last_used_at),
    expires_at: isoOrNull(endOf(access, settings)),
    ip: access.ip,
    user_agent: access.user_agent,
    current: access.kind === 'session' && access.id === viewer.session_id,
  }
}

function toPerson({ user_id, username, display_name }: PersonRecord): PersonRecord {
  return { user_id, username, display_name }
}

export function statusOf(token: LoginTokenRecord, now: number): LoginTokenState {
  if (token.used_at !== null) return 'used'
  if (token.deleted_at !== null) return 'revoked'
  return token.expires_at > now ? 'active' : 'expired'
}
