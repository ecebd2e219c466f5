import { type Seal, seal } from '../../api/audit-export.ts'
import type { AuditRecord } from '../storage/port/audit.ts'
import { CSV_COLUMNS, CSV_HEADER, csvCells, isUnfinished, readCsvRow, SEAL_MARK } from './audit-csv.ts'

/** An entry as a file has it: its time is text, and it names its own hash. */
export interface FiledEntry extends Omit<AuditRecord, 'at'> {
  at: string
  hash: string
}

/** What a line of an export is. */
export type Line = { entry: FiledEntry } | { seal: Seal } | 'header' | 'unreadable' | 'unfinished'

/** Characters of an export's line at most, also of a row that goes on over several; what is longer is unreadable. */
export const LONGEST_LINE = 4_000_000

/**
 * Reads the lines of one export, without their line feeds; the first of them tells which format it is. A line that is
 * unfinished goes on in the next. One that is not letter for letter what an export writes, but for a carriage return at its
 * end, is unreadable: no two files say the same.
 */
export function createLineReader(): (line: string) => Line {
  let isCsv: boolean | undefined
  let begun: string[] = []
  let length = 0

  function readRow(line: string): Line {
    const ends = isUnfinished(line) === begun.length > 0
    length += line.length + 1
    begun.push(line)
    const isTooLong = length > LONGEST_LINE
    if (!ends && !isTooLong) return 'unfinished'
    const row = isTooLong ? undefined : withoutReturn(begun.join('\n'))
    begun = []
    length = 0
    return row === undefined ? 'unreadable' : readCsv(row)
  }

  return (line) => {
    if (isCsv !== undefined) return isCsv ? readRow(line) : readJson(withoutReturn(line))
    const text = withoutReturn(line.replace(/^\uFEFF/, ''))
    isCsv = text === CSV_HEADER.trimEnd()
    return isCsv ? 'header' : readJson(text)
  }
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}

function readJson(line: string): Line {
  if (!line.startsWith('{') || line.length > LONGEST_LINE) return 'unreadable'
  const value = parse(line)
  if (!isObject(value)) return 'unreadable'
  if ('seal' in value) return sealOf(value['seal'], (text) => line === `{"seal":${text}}`)
  if (!areColumns(Object.keys(value)) || line !== textOf(value)) return 'unreadable'
  const { detail } = value
  const read = isObject(detail) ? entryOf(value, JSON.stringify(detail)) : undefined
  return read ? { entry: read } : 'unreadable'
}

function readCsv(row: string): Line {
  const cells = readCsvRow(row)
  if (!cells) return 'unreadable'
  if (cells[0] === SEAL_MARK) return sealOf(parse(cells[1] ?? ''), (text) => row === csvCells([SEAL_MARK, text]))
  if (cells.length !== CSV_COLUMNS.length) return 'unreadable'
  if (row !== csvCells(cells)) return 'unreadable'
  const value: Record<string, unknown> = {}
  for (const [index, name] of CSV_COLUMNS.entries()) value[name] = valueOf(name, cells[index] ?? '')
  const read = entryOf(value, value['detail'])
  return read ? { entry: read } : 'unreadable'
}

function valueOf(column: (typeof CSV_COLUMNS)[number], cell: string): string | number | null {
  if (cell === '') return null
  const isId = column === 'seq' || column === 'actor_id' || column === 'target_id'
  return isId && /^[1-9]\d{0,14}$/.test(cell) ? Number(cell) : cell
}

function sealOf(value: unknown, isWrittenSo: (text: string) => boolean): Line {
  const parsed = seal.safeParse(value)
  const text = parsed.success ? textOf(parsed.data) : undefined
  return parsed.success && text !== undefined && isWrittenSo(text) ? { seal: parsed.data } : 'unreadable'
}

function areColumns(names: readonly string[]): boolean {
  return names.length === CSV_COLUMNS.length && CSV_COLUMNS.every((name, index) => name === names[index])
}

function entryOf(value: Record<string, unknown>, detail: unknown): FiledEntry | undefined {
  const { seq, at, event, outcome, actor_id, actor, target_id, target, method, ip } = value
  const { user_agent, request_id, previous, hash } = value
  if (typeof seq !== 'number' || typeof at !== 'string' || typeof event !== 'string') return undefined
  if (outcome !== 'success' && outcome !== 'refused') return undefined
  if (!isNumber(actor_id) || !isText(actor) || !isNumber(target_id) || !isText(target)) return undefined
  if (!isText(method) || !isText(ip) || !isText(user_agent) || !isText(request_id)) return undefined
  if (typeof detail !== 'string' || typeof previous !== 'string' || typeof hash !== 'string') return undefined
  return {
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

/** Undefined: nested too deeply for that. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
