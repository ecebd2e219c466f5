import { hashOf } from '../../server/domain/audit-hash.ts'
import type { Storage } from '../../server/storage/port.ts'
import type { AuditFilter, AuditRecord, NewAuditEntry } from '../../server/storage/port/audit.ts'
import { NOW } from './builders.ts'

export function buildEntry(fields: Partial<NewAuditEntry> = {}): NewAuditEntry {
  return {
    at: NOW,
    event: 'sign_in',
    outcome: 'success',
    actor_id: null,
    actor: null,
    target_id: null,
    target: null,
    method: null,
    ip: null,
    user_agent: null,
    request_id: null,
    detail: '{}',
    ...fields,
  }
}

/** All entries, oldest first, read in pages. */
export async function readAll(storage: Storage, filter: AuditFilter = {}): Promise<AuditRecord[]> {
  const { seq, trimmed_through } = await storage.audit.head()
  const all: AuditRecord[] = []
  for (let after = trimmed_through; ;) {
    const page = await storage.audit.read(filter, { after, through: seq, limit: 70 })
    all.push(...page)
    if (page.length < 70) return all
    after = page.at(-1)?.seq ?? seq
  }
}

/** What breaks the chain; empty when each entry follows on the one before, up to the head. */
export async function breaksOf(storage: Storage): Promise<string[]> {
  const entries = await readAll(storage)
  const { seq, hash, trimmed_through } = await storage.audit.head()
  const breaks = entries.flatMap((entry, index) => {
    const before = entries[index - 1]
    const follows = entry.seq === trimmed_through + index + 1 && (!before || hashOf(before) === entry.previous)
    return follows ? [] : [`entry ${entry.seq} at place ${index}`]
  })
  const last = entries.at(-1)
  if (last && (last.seq !== seq || hashOf(last) !== hash)) breaks.push(`the head is ${seq}, the last entry ${last.seq}`)
  return breaks
}
