import { type Seal, seal } from '../../api/audit-export.ts'
import type { AuditRecord } from '../storage/port/audit.ts'
import { CSV_COLUMNS, CSV_HEADER, isUnfinished, readCsvRow, SEAL_MARK } from './audit-csv.ts'

/** An entry as a file has it: its time is text, and it names its own hash. */
export interface FiledEntry extends Omit<AuditRecord, 'at'> {
  at: string
  hash: string
}

/** What a line of an export is. */
export type Line = { entry: FiledEntry } | { seal: Seal } | 'header' | 'unreadable' | 'unfinished'

/** Reads the lines of one export; the first of them tells which format it is. A line that is unfinished goes on in the next. */
export function createLineReader(): (line: string) => Line {
  let isCsv: boolean | undefined
  return (line) => {
    if (isCsv !== undefined) return isCsv ? readCsv(line) : readJson(line)
    const text = line.replace(/^\uFEFF/, '')
    isCsv = text === CSV_HEADER.trimEnd()
    return isCsv ? 'header' : readJson(text)
  }
}

function readJson(line: string): Line {
  const value = parse(line)
  if (!isObject(value)) return 'unreadable'
  if ('seal' in value) return sealOf(value['seal'])
  const { detail } = value
  return isObject(detail) ? entryOf(value, JSON.stringify(detail)) : 'unreadable'
}

function readCsv(line: string): Line {
  if (isUnfinished(line)) return 'unfinished'
  const cells = readCsvRow(line)
  if (!cells) return 'unreadable'
  if (cells[0] === SEAL_MARK) return sealOf(parse(cells[1] ?? ''))
  if (cells.length !== CSV_COLUMNS.length) return 'unreadable'
  const value: Record<string, unknown> = {}
  for (const [index, name] of CSV_COLUMNS.entries()) value[name] = valueOf(name, cells[index] ?? '')
  return entryOf(value, value['detail'])
}

function valueOf(column: (typeof CSV_COLUMNS)[number], cell: string): string | number | null {
  if (cell === '') return null
  const isNumber = column === 'seq' || column === 'actor_id' || column === 'target_id'
  return isNumber && /^[1-9]\d{0,15}$/.test(cell) ? Number(cell) : cell
}

function sealOf(value: unknown): Line {
  const parsed = seal.safeParse(value)
  return parsed.success ? { seal: parsed.data } : 'unreadable'
}

function entryOf(value: Record<string, unknown>, detail: unknown): Line {
  const { seq, at, event, outcome, actor_id, actor, target_id, target, method, ip } = value
  const { user_agent, request_id, previous, hash } = value
  if (Object.keys(value).length !== CSV_COLUMNS.length) return 'unreadable'
  if (typeof seq !== 'number' || typeof at !== 'string' || typeof event !== 'string') return 'unreadable'
  if (outcome !== 'success' && outcome !== 'refused') return 'unreadable'
  if (!isNumber(actor_id) || !isText(actor) || !isNumber(target_id) || !isText(target)) return 'unreadable'
  if (!isText(method) || !isText(ip) || !isText(user_agent) || !isText(request_id)) return 'unreadable'
  if (typeof detail !== 'string' || typeof previous !== 'string' || typeof hash !== 'string') return 'unreadable'
  return {
    entry: {
      seq,
      at,
      event,
      outcome,
      actor_id,
      actor,
      target_id,
      target,
      method,
      ip,
      user_agent,
      request_id,
      detail,
      previous,
      hash,
    },
  }
}

const isNumber = (value: unknown): value is number | null => value === null || typeof value === 'number'

const isText = (value: unknown): value is string | null => value === null || typeof value === 'string'

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
