import type { Command, Option } from './command.ts'
import { EXIT_TEXTS } from './problems.ts'

const VARIABLES = [
  'LATCHKEY_DATABASE, LATCHKEY_DATA_DIR, LATCHKEY_LOG_FILE, LATCHKEY_LOG_LEVEL,',
  'LATCHKEY_BACKUP_PASSPHRASE, LATCHKEY_ATPROTO_PRIVATE=1, LATCHKEY_ATPROTO_PLC, LATCHKEY_ATPROTO_RESOLVER',
]

/** What there is. */
export function overallHelp(commands: readonly Command[]): string {
  const lines = commands.map((command) => [callOf(command), command.summary] as const)
  return [
    'Latchkey: a sign-in server with its console.',
    section('Usage', aligned([...lines, ['latchkey COMMAND --help', 'what a command takes']])),
    section('Variables', VARIABLES),
    section('Exit codes', exitCodes()),
  ].join('\n\n')
}

/** What one command takes. */
export function helpOf(command: Command): string {
  const options = Object.entries(command.options).map(([name, option]) => [nameOf(name, option), option.help] as const)
  return [
    `${callOf(command)} [options]`,
    [`${capital(command.summary)}.`, ...command.notes].join('\n'),
    section('Options', aligned([...options, ['--help', 'this text']])),
    section('Exit codes', exitCodes()),
  ].join('\n\n')
}

function callOf({ name, takes }: Command): string {
  return ['latchkey', name, takes].filter(Boolean).join(' ')
}

function nameOf(name: string, { value }: Option): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`
}

function exitCodes(): string[] {
  return EXIT_TEXTS.map((text, code) => `${code}  ${text}`)
}

function section(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n')
}

function aligned(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...pairs.map(([left]) => left.length))
  return pairs.map(([left, right]) => `${left.padEnd(width)}  ${right}`)
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
