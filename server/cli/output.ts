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
}

export function printProblem(text: string): void {
  console.error(text)
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
