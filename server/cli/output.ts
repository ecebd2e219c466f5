/** The lines of the contract go to standard output, everything else to standard error. */
export type Line =
  | { event: 'ready'; url: string }
  | { event: 'setup_link'; url: string; token: string }
  | { event: 'startup_token'; token: string }

export function printLine(line: Line, json: boolean): void {
  console.log(json ? JSON.stringify(line) : textOf(line))
}

export function printText(text: string): void {
  console.log(text)
  assertPrinted()
}

export function printJson(value: object): void {
  printText(JSON.stringify(value))
}

/** What was to be printed is lost: nobody reads on, or the disk is full. */
export class OutputLost extends Error {}

/** The console says nothing of it when standard output takes nothing. To be asked right after printing. @throws OutputLost */
export function assertPrinted(): void {
  const { errored } = process.stdout
  if (!errored) return
  const reason = 'code' in errored ? String(errored.code) : errored.message
  throw new OutputLost(
    `The command was carried out, but standard output did not take what it says (${reason}). A secret in it is lost: make another.`,
    { cause: errored },
  )
}

export function printProblem(text: string): void {
  console.error(text)
}

/** Columns as wide as their widest cell; the last one is as wide as it likes. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((cells) => widthOf(cells[column]))))
  for (const cells of lines) {
    const padded = cells.map((cell, column) => harmless(cell) + ' '.repeat((widths[column] ?? 0) - widthOf(cell)))
    printText(padded.join('  ').trimEnd())
  }
}

/** Whoever wrote it must not steer the terminal with it. */
function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function widthOf(text = ''): number {
  return [...harmless(text)].length
}

function textOf(line: Line): string {
  switch (line.event) {
    case 'ready':
      return `Latchkey ready: ${line.url}`
    case 'setup_link':
      return `Setup link: ${line.url}`
    case 'startup_token':
      return `Startup token: ${line.token} (one use, until this process ends)`
  }
}
