import type { AuditEntry } from '../../api/audit.ts'
import type { AuditRecord } from '../storage/port/audit.ts'
import { hashOf } from './audit-hash.ts'

/** An entry as the interface and the exports show it; the order of the fields is that of an export. */
export function toWireEntry(entry: AuditRecord): AuditEntry {
  return {
    seq: entry.seq,
    at: new Date(entry.at).toISOString(),
    event: entry.event,
    outcome: entry.outcome,
    actor_id: entry.actor_id,
    actor: entry.actor,
    target_id: entry.target_id,
    target: entry.target,
    method: entry.method,
    ip: entry.ip,
    user_agent: entry.user_agent,
    request_id: entry.request_id,
    detail: JSON.parse(entry.detail),
    previous: entry.previous,
    hash: hashOf(entry),
  }
}
