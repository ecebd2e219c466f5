import type { User } from '../../api/users.ts'
import type { UserRecord } from '../storage/port.ts'

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
