import type { ImportField, ImportRow } from '../api/user-imports.ts'
import { unguardCell } from './csv.ts'

/** What can be in a file of users, and how its columns and lines are understood. */

export const FILE_COLUMNS = [
  'username',
  'email',
  'display_name',
  'permissions',
  'superuser',
  'manager',
  'enabled',
  'lang',
  'password_hash',
] as const satisfies readonly ImportField[]

/** Columns of our own export that an import has no use for, and nobody need be told of. */
const OWN_COLUMNS = ['user_id', 'created_at', 'last_sign_in_at']

/** The longest cell that is sent. None that is longer could be sound. */
export const LONGEST_CELL = 512
/** The most rows that are sent at once. */
export const PART_ROWS = 1000

/** Why a file cannot be taken at all. */
export type FileProblem =
  | { kind: 'empty' | 'encoding' | 'large' | 'username' }
  | { kind: 'password' | 'repeated'; column: string }
  | { kind: 'quotes'; line: number }

export interface Header {
  /** The column of each field that is there. */
  places: ReadonlyMap<ImportField, number>
  width: number
  /** Names of columns that are not used. */
  ignored: string[]
}

/** A line of the file and where it begins, the first being 1. */
export interface FileLine {
  line: number
  cells: readonly string[]
}

export function readHeader(cells: readonly string[]): Header | FileProblem {
  const places = new Map<ImportField, number>()
  const ignored: string[] = []
  for (const [place, cell] of cells.entries()) {
    const column = cell.trim()
    const name = column.toLowerCase().replaceAll(/[\s-]+/g, '_')
    const field = FILE_COLUMNS.find((known) => known === name)
    if (isPassword(name)) return { kind: 'password', column }
    if (field && places.has(field)) return { kind: 'repeated', column: field }
    if (field) places.set(field, place)
    else if (name !== '' && !OWN_COLUMNS.includes(name)) ignored.push(column)
  }
  return places.has('username') ? { places, width: cells.length, ignored } : { kind: 'username' }
}

function isPassword(name: string): boolean {
  return /(^|_)(passwords?|passwd|pwd|passwort|kennwort|пароль|密码)$/.test(name)
}

/** One line as the interface takes it; `blank` where nothing stands, `cells` where there are more than columns. */
export function readLine({ places, width }: Header, { line, cells }: FileLine): ImportRow | 'blank' | 'cells' {
  if (cells.every((cell) => cell.trim() === '')) return 'blank'
  if (cells.slice(width).some((cell) => cell.trim() !== '')) return 'cells'
  const row: ImportRow = { line, username: '' }
  for (const [field, place] of places) row[field] = unguardCell(cells[place] ?? '').slice(0, LONGEST_CELL)
  return row
}

/** Where the next line begins: a cell in quotes may hold several lines of the file. */
export function lineAfter({ line, cells }: FileLine): number {
  return cells.reduce((sum, cell) => sum + cell.split('\n').length - 1, line + 1)
}
