import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AuditEntry, ExportFormat } from '../../api/audit.ts'
import { CSV_COLUMNS, csvRow, readCsvRow } from '../../server/domain/audit-csv.ts'
import { verifyFile } from '../../server/cli/audit-verify.ts'
import type { Fault } from '../../server/domain/audit-verification.ts'
import { toWireEntry } from '../../server/domain/audit-wire.ts'
import type { TestServer } from '../helpers/server.ts'
import { dataOf, type Visitor } from '../helpers/visitor.ts'

/** The lines of an export, the seal included, the header of CSV not. */
export async function exportLines(
  visitor: Visitor,
  format: ExportFormat,
  filter: Record<string, string> = {},
): Promise<string[]> {
  const answer = await visitor.http.get<string>('/api/audit/export', {
    params: { format, ...filter },
    responseType: 'text',
    transformResponse: (text: string) => text,
  })
  if (answer.status !== 200) throw new Error(answer.data)
  const lines = answer.data.split(/(?<=\n)/)
  return format === 'csv' ? lines.slice(1) : lines
}

/** What the verifier finds in a file of these lines. */
export async function faultsIn(directory: string, format: ExportFormat, lines: readonly string[]): Promise<Fault[]> {
  const file = join(directory, `export.${format}`)
  await writeFile(file, `${format === 'csv' ? `${CSV_COLUMNS.join(',')}\r\n` : ''}${lines.join('')}`)
  return (await verifyFile(file)).faults
}

/** A line with one of its fields replaced. */
export function withField(format: ExportFormat, line: string, name: string, value: unknown): string {
  if (format === 'jsonl') return `${JSON.stringify({ ...JSON.parse(line), [name]: value })}\n`
  const cells = readCsvRow(line.trimEnd()) ?? []
  const text = typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
  return csvRow(cells.map((cell, index) => (CSV_COLUMNS[index] === name ? text : cell)))
}

/** Every entry of the audit, the oldest first. */
export async function allEntries(visitor: Visitor): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = []
  let cursor: string | undefined
  do {
    const query = { limit: '200', ...(cursor === undefined ? {} : { cursor }) }
    const page = dataOf(await visitor.client.audit.list({ query }))
    entries.push(...page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return entries.toReversed()
}

/** The same from storage, without asking the server. */
export async function wholeChain({ storage }: TestServer): Promise<AuditEntry[]> {
  const { seq } = await storage.audit.head()
  const entries = await storage.audit.read({}, { after: 0, through: seq, limit: 10_000 })
  return entries.map(toWireEntry)
}

/** The events of the catalogue that atproto-audit.test.ts, audit-retention.test.ts, backup.test.ts and restore.test.ts bring about. */
export const OF_ELSEWHERE = [
  'accounts_signed_out',
  'developer_token_created',
  'atproto_linked',
  'atproto_unlinked',
  'atproto_grant_upgraded',
  'atproto_grant_ended',
  'pairing_approved',
  'authority_made',
  'backup_made',
  'restored',
  'audit_trimmed',
]
