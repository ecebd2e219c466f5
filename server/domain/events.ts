import type { Factor } from '../../api/schemas.ts'
import type { AuthSource } from '../storage/port.ts'

/**
 * What happened, in the words of the audit. Names that somebody typed are not among the fields: people type
 * passwords into the wrong box.
 */
export type SecurityEvent =
  | { event: 'set_up'; user_id: number }
  | { event: 'sign_in'; user_id: number; auth_source: AuthSource; amr: Factor[] }
  | { event: 'sign_in_refused'; user_id?: number; auth_source: AuthSource; reason: string }
  | { event: 'sign_out'; user_id: number }
  | { event: 'reauthenticated'; user_id: number }
  | { event: 'reauthentication_refused'; user_id: number }
  | { event: 'password_changed'; user_id: number }
  | { event: 'password_change_refused'; user_id: number; reason: string }
  | { event: 'second_factor_enabled' | 'second_factor_disabled' | 'recovery_codes_replaced'; user_id: number }
  | { event: 'device_trusted' | 'device_distrusted'; user_id: number }
  | { event: 'session_revoked'; user_id: number; session_id: string }
  | { event: 'sessions_revoked'; user_id: number; count: number }
  | { event: 'user_created' | 'user_edited'; user_id: number; by: number; fields: string[] }
  | { event: 'limited'; scope: 'address' | 'name' }
  | { event: 'access_refused'; user_id?: number; code: string; entry: string }

/** Writes an event down, with where it came from and the request that caused it. */
export type RecordEvent = (event: SecurityEvent) => void
