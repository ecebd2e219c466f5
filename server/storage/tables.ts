import type { Generated } from 'kysely'
import type { Language } from '../../api/schemas.ts'
import type { ImportReason, ImportState } from '../../api/user-imports.ts'
import type { ClientKeyRecord, ExchangeRecord, FlowRecord, GrantRecord, PairingRecord } from './port/atproto.ts'
import type { AuditHead, AuditHour, AuditRecord } from './port/audit.ts'
import type { AuthSource, LoginTokenRecord, SessionKind, TrustedDevice } from './port.ts'

/**
 * The tables as SQL sees them. Both engines hold the same types: times are whole milliseconds since 1970 UTC,
 * flags are 0 or 1, lists are JSON text.
 */
export interface Tables {
  meta: { name: string; value: string }
  users: UserTable
  sessions: SessionTable
  recovery_codes: { user_id: number; hash: string }
  trusted_devices: TrustedDevice
  login_tokens: LoginTokenRecord & { secret_hash: string }
  limits: { key: string; count: number; window_start: number; blocked_until: number | null; forget_at: number }
  settings: { name: string; value: string }
  /** Embedded engine only: how often users were changed, by their ids shifted right by eight bits. */
  user_blocks: { block: number; revision: number }
  user_imports: UserImportTable
  user_import_parts: { import_no: number; part: number; rows: string; faulty: string }
  audit: AuditTable
  /** One row. */
  audit_head: AuditHead & { id: number }
  /** What the entries of an hour count, and the first and last of them. */
  audit_hours: AuditHour & { first_seq: number; last_seq: number }
  atproto_flows: Omit<FlowRecord, 'prompted'> & { prompted: number }
  atproto_exchanges: Omit<ExchangeRecord, 'prompted'> & { prompted: number }
  atproto_grants: GrantRecord
  atproto_pairings: PairingRecord
  atproto_client_keys: ClientKeyRecord
}

/** `refused`: 0 or 1, the outcome. */
export type AuditTable = Omit<AuditRecord, 'outcome'> & { refused: number }

export interface UserTable {
  user_id: Generated<number>
  username: string
  email: string | null
  display_name: string | null
  superuser: number
  permissions: string
  manager_id: number | null
  enabled: number
  lang: Language | null
  password_hash: string | null
  require_password_change: number
  password_expires: number | null
  totp_secret: string | null
  totp_confirmed_at: number | null
  totp_last_step: number
  did: string | null
  handle: string | null
  avatar_url: string | null
  created_at: number
  updated_at: number
  last_sign_in_at: number | null
  /** User name, display name, mail address and handle, lower-cased, for search. */
  search_text: string
  /** The import that made him. */
  import_no: Generated<number | null>
  /** When and by whom the password was last set; null where it is not known, or for the latter where he did so himself. */
  password_set_at: Generated<number | null>
  password_set_by: Generated<number | null>
  /** When he last came in by it as it is now, or chose it himself; null: never. */
  password_proved_at: Generated<number | null>
  did_proved_at: Generated<number | null>
}

export interface UserImportTable {
  import_no: Generated<number>
  import_id: string
  begun_by: number
  state: ImportState
  rows: number
  /** Of the JSON of all parts. */
  characters: number
  next_part: number
  done: number
  faulty: number
  faults: string
  imported: number
  reason: ImportReason | null
  /** The server that works on it; null: none. */
  runner: string | null
  heartbeat_at: number
}

export interface SessionTable {
  session_id: string
  secret_hash: string
  user_id: number
  kind: SessionKind
  auth_source: AuthSource
  amr: string
  group_id: string | null
  created_at: number
  last_seen_at: number
  authenticated_at: number
  expires_at: number
  ip: string
  user_agent: string
  revoked_at: number | null
  /** The login token that began it. */
  login_token: string | null
  scope: string | null
  prefix: string | null
  name: string | null
}

/** A time that never comes, as the columns hold it: the largest date. */
export const NEVER = 8_640_000_000_000_000
