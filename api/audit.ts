import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { page, isoDate, pageQuery, queryUserId, text, userId } from './schemas.ts'

/** Everything that the audit writes down, by its name. */
export const AUDIT_EVENTS = [
  'server_started',
  'set_up',
  'startup_token_minted',
  'startup_token_revoked',
  'sign_in',
  'sign_in_refused',
  'sign_out',
  'account_switched',
  'accounts_signed_out',
  'reauthenticated',
  'reauthentication_refused',
  'password_changed',
  'password_change_refused',
  'password_reset',
  'temporary_password_revoked',
  'second_factor_enabled',
  'second_factor_disabled',
  'second_factor_reset',
  'recovery_code_used',
  'recovery_codes_replaced',
  'device_trusted',
  'device_distrusted',
  'session_revoked',
  'sessions_revoked',
  'login_token_created',
  'login_token_used',
  'login_token_revoked',
  'developer_token_created',
  'developer_token_revoked',
  'atproto_linked',
  'atproto_unlinked',
  'atproto_grant_upgraded',
  'atproto_grant_ended',
  'pairing_approved',
  'user_created',
  'user_edited',
  'user_enabled',
  'user_disabled',
  'user_deleted',
  'users_imported',
  'users_import_undone',
  'settings_changed',
  'authority_made',
  'limited',
  'access_refused',
  'audit_exported',
  'backup_made',
  'restored',
  'audit_trimmed',
] as const
export type AuditEvent = (typeof AUDIT_EVENTS)[number]

export const AUDIT_OUTCOMES = ['success', 'refused'] as const
export type AuditOutcome = (typeof AUDIT_OUTCOMES)[number]
export const EXPORT_FORMATS = ['csv', 'jsonl'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** One entry of the audit. Entries are never changed; each holds the hash of the one before. */
export const auditEntry = z.object({
  /** Its place in the chain, from 1. */
  seq: z.int(),
  at: isoDate,
  /** One of `AUDIT_EVENTS`, or a name that another release knows. */
  event: z.string(),
  outcome: z.enum(AUDIT_OUTCOMES),
  /** Who did it, proved; null: nobody who was signed in, or the server itself. The name is of that time. */
  actor_id: userId.nullable(),
  actor: z.string().nullable(),
  /** Whom it concerns. */
  target_id: userId.nullable(),
  target: z.string().nullable(),
  /** The way of signing in that was used or tried. */
  method: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
  request_id: z.string().nullable(),
  /** What else there is to say, by the event. */
  detail: z.record(z.string(), z.unknown()),
  /** SHA-256 of the entry before, base64url; of the first of all: of nothing. */
  previous: z.string(),
  /** SHA-256 of this entry, `previous` included. */
  hash: z.string(),
})
export type AuditEntry = z.output<typeof auditEntry>

const filter = {
  event: z.enum(AUDIT_EVENTS).optional(),
  outcome: z.enum(AUDIT_OUTCOMES).optional(),
  actor_id: queryUserId.optional(),
  target_id: queryUserId.optional(),
  /** Actor or target. */
  user_id: queryUserId.optional(),
  ip: text().max(64).optional(),
  /** From this moment on, and before that one. */
  from: isoDate.optional(),
  to: isoDate.optional(),
}

/** What happened: every sign-in, refusal, reset, minting, use, revocation and setting change. */
export const audit = {
  list: endpoint({
    method: 'GET',
    path: '/api/audit',
    summary: 'Entries of the audit, the newest first',
    auth: 'AUDIT_LOG',
    limit: 'none',
    query: z.strictObject({ ...filter, ...pageQuery }),
    output: page(auditEntry),
    errors: [],
  }),

  activity: endpoint({
    method: 'GET',
    path: '/api/audit/activity',
    summary: 'Sign-ins and refusals by the hour (UTC); hours without any are left out',
    auth: 'AUDIT_LOG',
    limit: 'none',
    query: z.strictObject({ from: isoDate, to: isoDate }),
    output: z.object({ hours: z.array(z.object({ at: isoDate, signed_in: z.int(), refused: z.int() })) }),
    errors: ['INVALID_QUERY'],
  }),

  export: endpoint({
    method: 'GET',
    path: '/api/audit/export',
    summary: 'The entries that a filter selects, oldest first, with a signed seal as last line',
    auth: 'AUDIT_LOG',
    limit: 'none',
    answers: 'file',
    query: z.strictObject({ format: z.enum(EXPORT_FORMATS), ...filter }),
    output: z.string(),
    errors: [],
  }),
}
