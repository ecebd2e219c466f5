import { createHash } from 'node:crypto'
import type { ExportFormat } from '../../api/audit.ts'
import type { Storage } from '../storage/port.ts'
import type { AuditFilter, AuditRecord } from '../storage/port/audit.ts'
import { CSV_HEADER, csvRow, SEAL_MARK } from './audit-csv.ts'
import { hashOf } from './audit-hash.ts'
import type { AuditSeal } from './audit-seal.ts'
import { toWireEntry } from './audit-wire.ts'

/** Entries read at a time: what is in memory, and what holds the event loop. */
const AT_ONCE = 500

export interface ExportOrder {
  /** Undefined: one that nothing can be. */
  filter: AuditFilter | undefined
  /** The filter in the words of who asked; empty: everything. */
  said: Record<string, unknown>
  format: ExportFormat
}

interface ExportDeps {
  storage: Storage
  auditSeal: AuditSeal
  clock: () => number
}

/**
 * The entries that were there when the export began, oldest first, part by part, and the seal. Throws in the middle, so that
 * the file shows to be broken, when entries that it still needs are trimmed meanwhile.
 */
export async function* exportAudit(deps: ExportDeps, { filter, said, format }: ExportOrder): AsyncGenerator<string> {
  const { seq, trimmed_through } = await deps.storage.audit.head()
  const digest = createHash('sha256')
  let first: AuditRecord | undefined
  let last: AuditRecord | undefined
  let head: string | null = null
  let entries = 0
  let after = trimmed_through
  if (format === 'csv') yield CSV_HEADER
  while (filter && after < seq) {
    const page = await deps.storage.audit.read(filter, { after, through: seq, limit: AT_ONCE })
    await refuseTrimmed(deps, trimmed_through)
    const lines = page.map((entry) => {
      head = hashOf(entry)
      digest.update(`${head}\n`)
      return lineOf(entry, head, format)
    })
    first ??= page[0]
    last = page.at(-1) ?? last
    entries += page.length
    after = page.length < AT_ONCE ? seq : (last?.seq ?? seq)
    yield lines.join('')
    await breathe()
  }
  const sealed = deps.auditSeal.seal({
    first_seq: first?.seq ?? null,
    last_seq: last?.seq ?? null,
    entries,
    head,
    digest: digest.digest('base64url'),
    complete: Object.keys(said).length === 0,
    filter: said,
    exported_at: new Date(deps.clock()).toISOString(),
  })
  yield format === 'csv' ? csvRow([SEAL_MARK, JSON.stringify(sealed)]) : `${JSON.stringify({ seal: sealed })}\n`
}

async function refuseTrimmed({ storage }: ExportDeps, began: number): Promise<void> {
  const { trimmed_through } = await storage.audit.head()
  if (trimmed_through > began) throw new Error('The audit was trimmed during its export')
}

function lineOf(entry: AuditRecord, hash: string, format: ExportFormat): string {
  if (format === 'jsonl') return `${JSON.stringify(toWireEntry(entry))}\n`
  return csvRow([
    entry.seq,
    new Date(entry.at).toISOString(),
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
    entry.previous,
    hash,
  ])
}

/** Lets everybody else have a turn of the event loop. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
