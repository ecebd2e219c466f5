/** The columns of an export as CSV, in their order; the first line names them. */
export const CSV_COLUMNS = [
  'seq',
  'at',
  'event',
  'outcome',
  'actor_id',
  'actor',
  'target_id',
  'target',
  'method',
  'ip',
  'user_agent',
  'request_id',
  'detail',
  'previous',
  'hash',
] as const

/** What the first cell of the last row holds; the second is the seal as JSON. */
export const SEAL_MARK = '#seal'

export const CSV_HEADER = `${CSV_COLUMNS.join(',')}\r\n`

/** A row as RFC 4180 has it. What a spreadsheet would take for a formula gets an apostrophe in front. */
export function csvRow(cells: readonly (string | number | null)[]): string {
  return `${csvCells(cells)}\r\n`
}

/** The same without the end of its line. */
export function csvCells(cells: readonly (string | number | null)[]): string {
  return cells.map(cellOf).join(',')
}

function cellOf(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  if (!/^[=+\-@\t\r']|[",\r\n]/.test(value)) return value
  const harmless = /^[=+\-@\t\r']/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

/** Takes a row apart again; undefined when it is none. */
export function readCsvRow(row: string): string[] | undefined {
  const cells: string[] = []
  let at = 0
  for (;;) {
    const end = row[at] === '"' ? closingQuote(row, at) : endOfCell(row, at)
    if (end === undefined) return undefined
    const cell = row[at] === '"' ? row.slice(at + 1, end - 1).replaceAll('""', '"') : row.slice(at, end)
    cells.push(cell.startsWith("'") ? cell.slice(1) : cell)
    if (end === row.length) return cells
    if (row[end] !== ',') return undefined
    at = end + 1
  }
}

/** Whether a line of a file opens quotes that it does not close, or closes those of the lines before it. */
export function isUnfinished(line: string): boolean {
  let open = false
  for (let at = line.indexOf('"'); at >= 0; at = line.indexOf('"', at + 1)) open = !open
  return open
}

function endOfCell(row: string, from: number): number {
  const comma = row.indexOf(',', from)
  return comma < 0 ? row.length : comma
}

/** The place behind the quote that closes the cell. */
function closingQuote(row: string, from: number): number | undefined {
  for (let at = row.indexOf('"', from + 1); at >= 0; at = row.indexOf('"', at + 2)) {
    if (row[at + 1] !== '"') return at + 1
  }
  return undefined
}
