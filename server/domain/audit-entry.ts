import type { AuditEvent, AuditOutcome } from '../../api/audit.ts'
import type { NewAuditEntry } from '../storage/port/audit.ts'
import { COMMAND_LINE, type SecurityEvent } from './events.ts'

/** Where an event came from; null: from the server itself. */
export interface AuditSource {
  ip: string | null
  user_agent: string | null
  request_id: string | null
}

export const FROM_SERVER: AuditSource = { ip: null, user_agent: null, request_id: null }

const outcomes: Record<SecurityEvent['event'], AuditOutcome> = {
  server_started: 'success',
  startup_token_minted: 'success',
  startup_token_revoked: 'success',
  set_up: 'success',
  sign_in: 'success',
  sign_in_refused: 'refused',
  sign_out: 'success',
  account_switched: 'success',
  accounts_signed_out: 'success',
  reauthenticated: 'success',
  reauthentication_refused: 'refused',
  password_changed: 'success',
  password_change_refused: 'refused',
  password_reset: 'success',
  temporary_password_revoked: 'success',
  second_factor_enabled: 'success',
  second_factor_disabled: 'success',
  second_factor_reset: 'success',
  recovery_code_used: 'success',
  recovery_codes_replaced: 'success',
  device_trusted: 'success',
  device_distrusted: 'success',
  session_revoked: 'success',
  sessions_revoked: 'success',
  login_token_created: 'success',
  login_token_used: 'success',
  login_token_revoked: 'success',
  developer_token_created: 'success',
  developer_token_revoked: 'success',
  atproto_linked: 'success',
  atproto_unlinked: 'success',
  atproto_grant_upgraded: 'success',
  atproto_grant_ended: 'success',
  pairing_approved: 'success',
  user_created: 'success',
  user_edited: 'success',
  user_enabled: 'success',
  user_disabled: 'success',
  user_deleted: 'success',
  users_imported: 'success',
  users_import_undone: 'success',
  settings_changed: 'success',
  authority_made: 'success',
  limited: 'refused',
  access_refused: 'refused',
  audit_exported: 'success',
  backup_made: 'success',
  restored: 'success',
  audit_trimmed: 'success',
}
/** Of every event that the contract names; that they are the same events, the two types prove. */
export const OUTCOMES: Readonly<Record<AuditEvent, AuditOutcome>> = outcomes

interface Facts {
  actor_id?: number | undefined
  actor?: string | undefined
  target_id?: number | undefined
  target?: string | undefined
  method?: string
  detail?: Record<string, unknown>
}

/** What the audit writes of an event: who did it and proved to be so, whom it concerns, and how. */
export function entryOf(event: SecurityEvent, source: AuditSource, at: number, left_out = 0): NewAuditEntry {
  const name: AuditEvent = event.event
  const { actor_id, actor, target_id, target, method, detail } = factsOf(event)
  return {
    at,
    event: name,
    outcome: OUTCOMES[name],
    actor_id: actor_id ?? null,
    actor: actor ?? null,
    target_id: target_id ?? null,
    target: target ?? null,
    method: method ?? null,
    ip: source.ip || null,
    user_agent: source.user_agent || null,
    request_id: source.request_id || null,
    detail: JSON.stringify({ ...detail, ...(left_out > 0 ? { left_out } : {}) }),
  }
}

function factsOf(event: SecurityEvent): Facts {
  switch (event.event) {
    case 'server_started':
    case 'startup_token_minted':
    case 'audit_trimmed':
    case 'pairing_approved':
      return { detail: rest(event) }
    case 'backup_made':
    case 'restored':
      return { actor: COMMAND_LINE, detail: rest(event) }
    case 'sign_out':
    case 'reauthenticated':
    case 'reauthentication_refused':
    case 'password_changed':
    case 'password_change_refused':
    case 'second_factor_enabled':
    case 'second_factor_disabled':
    case 'recovery_codes_replaced':
    case 'recovery_code_used':
    case 'device_trusted':
    case 'accounts_signed_out':
    case 'atproto_grant_upgraded':
      return { ...himself(event.user_id), detail: rest(event) }
    case 'set_up':
      return { ...himself(event.user_id), method: 'password' }
    case 'sign_in':
      return { ...himself(event.user_id), method: event.auth_source, detail: { amr: event.amr } }
    case 'sign_in_refused':
      return { target_id: event.user_id, method: event.auth_source, detail: { reason: event.reason } }
    case 'developer_token_created': {
      const { session_id, prefix, auth_source } = event
      return { ...himself(event.user_id), method: auth_source, detail: { session_id, prefix } }
    }
    case 'atproto_grant_ended':
      return { target_id: event.user_id, method: 'atproto', detail: rest(event) }
    case 'account_switched':
      return { actor_id: event.user_id, target_id: event.to }
    case 'login_token_used': {
      const { uuid, made_by } = event
      return { ...himself(event.user_id), method: 'login_token', detail: { uuid, made_by } }
    }
    case 'user_deleted': {
      const own = event.by === event.user_id
      return {
        actor_id: event.by,
        actor: own ? event.username : undefined,
        target_id: event.user_id,
        target: event.username,
      }
    }
    case 'password_reset': {
      const ends = event.password_expires === null ? null : new Date(event.password_expires).toISOString()
      return { ...byAnother(event), detail: { ...rest(event), password_expires: ends } }
    }
    case 'limited':
      return { target_id: event.user_id, detail: { scope: event.scope } }
    case 'access_refused':
      return { actor_id: event.user_id, target_id: event.target, detail: { code: event.code, entry: event.entry } }
    case 'settings_changed':
    case 'authority_made':
    case 'startup_token_revoked':
    case 'users_imported':
    case 'users_import_undone':
    case 'audit_exported':
      return { actor_id: event.by, detail: rest(event) }
    case 'temporary_password_revoked':
    case 'second_factor_reset':
    case 'device_distrusted':
    case 'session_revoked':
    case 'sessions_revoked':
    case 'login_token_created':
    case 'login_token_revoked':
    case 'developer_token_revoked':
    case 'atproto_linked':
    case 'atproto_unlinked':
    case 'user_created':
    case 'user_edited':
    case 'user_enabled':
    case 'user_disabled':
      return { ...byAnother(event), detail: rest(event) }
  }
}

const himself = (user_id: number): Facts => ({ actor_id: user_id, target_id: user_id })

const byAnother = ({ by, user_id }: { by: number | typeof COMMAND_LINE; user_id: number }): Facts =>
  by === COMMAND_LINE ? { actor: by, target_id: user_id } : { actor_id: by, target_id: user_id }

/** What an event says besides its name and its people. */
function rest(event: SecurityEvent): Record<string, unknown> {
  return Object.fromEntries(Object.entries(event).filter(([name]) => !['event', 'user_id', 'by'].includes(name)))
}
