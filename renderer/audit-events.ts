import type { AuditEvent } from '../api/audit.ts'

/** What the audit writes down, as people look for it; as in `api/audit.ts`, and a test holds the two together. */
export const EVENT_GROUPS = {
  signing: [
    'sign_in',
    'sign_in_refused',
    'sign_out',
    'account_switched',
    'accounts_signed_out',
    'pairing_approved',
    'reauthenticated',
    'reauthentication_refused',
    'limited',
    'access_refused',
  ],
  factors: [
    'password_changed',
    'password_change_refused',
    'password_reset',
    'temporary_password_revoked',
    'second_factor_enabled',
    'second_factor_disabled',
    'second_factor_reset',
    'recovery_code_used',
    'recovery_codes_replaced',
  ],
  tokens: [
    'session_revoked',
    'sessions_revoked',
    'device_trusted',
    'device_distrusted',
    'login_token_created',
    'login_token_used',
    'login_token_revoked',
    'developer_token_created',
    'developer_token_revoked',
    'atproto_linked',
    'atproto_unlinked',
    'atproto_grant_upgraded',
    'atproto_grant_ended',
    'startup_token_minted',
    'startup_token_revoked',
  ],
  people: [
    'user_created',
    'user_edited',
    'user_enabled',
    'user_disabled',
    'user_deleted',
    'users_imported',
    'users_import_undone',
  ],
  server: [
    'server_started',
    'set_up',
    'settings_changed',
    'authority_made',
    'audit_exported',
    'backup_made',
    'restored',
    'audit_trimmed',
  ],
} as const satisfies Record<string, readonly AuditEvent[]>

export type EventGroup = keyof typeof EVENT_GROUPS
export const GROUPS = ['signing', 'factors', 'tokens', 'people', 'server'] as const satisfies readonly EventGroup[]

const KNOWN: ReadonlySet<string> = new Set(Object.values(EVENT_GROUPS).flat())

/** Whether this release has words for it. */
export function isAuditEvent(name: unknown): name is AuditEvent {
  return typeof name === 'string' && KNOWN.has(name)
}
