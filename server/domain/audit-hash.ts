import { hash } from 'node:crypto'
import type { AuditRecord } from '../storage/port/audit.ts'

/** What the first entry of all is chained to: the hash of nothing. */
export const HASH_OF_NOTHING = hash('sha256', '', 'base64url')

/**
 * SHA-256, base64url, over a JSON array of all fields in this order: `previous`, so that each entry vouches for all before it,
 * then place and content. Times are ISO 8601, the detail is its JSON text.
 */
export function hashOf(entry: AuditRecord): string {
  return hashOfFields(entry, new Date(entry.at).toISOString())
}

/** The same, of an entry that brings its time as text. */
export function hashOfFields(entry: Omit<AuditRecord, 'at'>, at: string): string {
  const fields = [
    entry.previous,
    entry.seq,
    at,
    entry.event,
    entry.outcome,
    entry.actor_id,
    entry.actor,
    entry.target_id,
    entry.target,
    entry.method,
    entry.ip,
    entry.user_agent,
    entry.request_id,
    entry.detail,
  ]
  return hash('sha256', JSON.stringify(fields), 'base64url')
}
