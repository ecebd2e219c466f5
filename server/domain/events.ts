import type { ExportFormat } from '../../api/audit.ts'
import type { Factor } from '../../api/schemas.ts'
import type { SettingName } from '../../api/settings.ts'
import type { ImportReason } from '../../api/user-imports.ts'
import type { AuthSource, UserRecord } from '../storage/port.ts'

/** Who acts there owns the machine; he is no user. Stands in the audit as a name that no user can have. */
export const COMMAND_LINE = 'command line'

/** Who did something to others: a user, or whoever typed a command at this machine. */
type By = number | typeof COMMAND_LINE

/**
 * What happened, in the words of the audit. Names that somebody typed are not among the fields: people type
 * passwords into the wrong box.
 */
export type SecurityEvent =
  | { event: 'server_started'; version: string }
  | { event: 'startup_token_minted'; via?: typeof COMMAND_LINE }
  | { event: 'set_up'; user_id: number }
  | { event: 'sign_in'; user_id: number; auth_source: AuthSource; amr: Factor[] }
  | { event: 'sign_in_refused'; user_id?: number; auth_source: AuthSource; reason: string }
  | { event: 'sign_out'; user_id: number }
  /** `user_id` handed this browser over to `to`. */
  | { event: 'account_switched'; user_id: number; to: number }
  /** Every account of one browser. */
  | { event: 'accounts_signed_out'; user_id: number; count: number }
  | { event: 'reauthenticated'; user_id: number; factor: Factor }
  | { event: 'reauthentication_refused'; user_id: number }
  | { event: 'password_changed'; user_id: number }
  | { event: 'password_change_refused'; user_id: number; reason: string }
  | { event: 'second_factor_enabled' | 'second_factor_disabled' | 'recovery_codes_replaced'; user_id: number }
  | { event: 'recovery_code_used'; user_id: number }
  | { event: 'device_trusted'; user_id: number }
  | { event: 'device_distrusted'; user_id: number; by: number }
  | { event: 'session_revoked'; user_id: number; by: number; session_id: string }
  | { event: 'sessions_revoked'; user_id: number; by: number; count?: number }
  | { event: 'user_created'; user_id: number; by: By; fields: string[]; rights?: Rights }
  | { event: 'user_edited'; user_id: number; by: number; fields: string[]; rights?: { from: Rights; to: Rights } }
  | { event: 'user_enabled' | 'user_disabled'; user_id: number; by: number }
  /** He is gone: so the event brings his name. */
  | { event: 'user_deleted'; user_id: number; username: string; by: number }
  | {
      event: 'password_reset'
      user_id: number
      by: By
      require_password_change: boolean
      password_expires: number | null
      revoke_developer_tokens: boolean
    }
  | { event: 'second_factor_reset'; user_id: number; by: number }
  | { event: 'login_token_created' | 'login_token_revoked'; user_id: number; by: By; uuid: string }
  /** `made_by` made the token that let `user_id` in. */
  | { event: 'login_token_used'; user_id: number; made_by: number; uuid: string }
  | { event: 'temporary_password_revoked'; user_id: number; by: number }
  | { event: 'developer_token_created'; user_id: number; session_id: string; prefix: string; auth_source: AuthSource }
  | { event: 'developer_token_revoked'; user_id: number; by: number; session_id: string }
  | { event: 'atproto_linked' | 'atproto_unlinked'; user_id: number; by: number; did: string }
  | { event: 'atproto_grant_upgraded'; user_id: number; scope: string }
  /** The provider took it back, it ran out, or the answer to a refresh was lost. */
  | { event: 'atproto_grant_ended'; user_id: number; did: string; session_id: string; reason: string }
  /** Somebody at this machine signed in for the browser at `waiting_ip`. */
  | { event: 'pairing_approved'; waiting_ip: string }
  | { event: 'startup_token_revoked'; by: number }
  /** Without `by`: by the server's own desktop. */
  | { event: 'settings_changed'; by?: number; changes: Partial<Record<SettingName, { from: unknown; to: unknown }>> }
  /** The certificate authority that devices of the network trust. Without `by`: the first, by the server itself. */
  | { event: 'authority_made'; by?: number; fingerprint: string }
  | { event: 'users_imported'; by: number; import_id: string; count: number }
  | { event: 'users_import_undone'; by: number; import_id: string; reason: ImportReason }
  /** `user_id` has the name that cools down or is locked, where somebody has it. */
  | { event: 'limited'; scope: 'address' | 'name'; user_id?: number }
  | { event: 'access_refused'; user_id?: number; target?: number; code: string; entry: string }
  | { event: 'audit_exported'; by: number; format: ExportFormat; filter: Record<string, unknown> }
  /** `keys`: without the database, which is not ours to copy. */
  | { event: 'backup_made'; content: 'everything' | 'keys' }
  /** What the backup brought to life again, and was ended at once. */
  | { event: 'restored'; made_at: string; version: string; ended: Record<string, number> }
  | { event: 'audit_trimmed'; through_seq: number; through_hash: string; count: number }

/** What a person may do, as far as an edit speaks of it. */
type Rights = Partial<Pick<UserRecord, 'superuser' | 'permissions' | 'manager_id'>>

/** Writes an event down, with where it came from and the request that caused it. */
export type RecordEvent = (event: SecurityEvent) => void
