import { parseArgs } from 'node:util'

/** What was typed cannot be understood; its message names the word. */
export class UsageError extends Error {}

/** An option of a command, for parsing and for its help. */
export interface Option {
  type: 'string' | 'boolean'
  multiple?: boolean
  /** What stands for its value in the help. */
  value?: string
  help: string
}
export type Options = Record<string, Option>

/** A command, as the table has it: help, parsing and tests come from there. */
export interface Command {
  /** The words that it is called by. */
  name: string
  summary: string
  /** What follows the name. */
  takes: string
  options: Options
  /** More lines of help. */
  notes: readonly string[]
  /** Resolves with the exit code. */
  run: (args: string[]) => Promise<number>
}

interface Told<O extends Options> extends Omit<Command, 'options' | 'run' | 'takes' | 'notes'> {
  takes?: string
  notes?: readonly string[]
  options: O
  run: (given: Given<O>) => Promise<number>
}

export type Given<O extends Options> = ReturnType<typeof parse<O>>

export function defineCommand<const O extends Options>({ run, takes = '', notes = [], ...told }: Told<O>): Command {
  return { ...told, takes, notes, run: async (args) => run(parse(args, told.options)) }
}

/** What was typed after the name, by the options that the command knows. @throws UsageError */
export function parse<const O extends Options>(args: string[], options: O) {
  const words = joined(args, options)
  // What a variable that is not set leaves: it must not mean the directory that we happen to be in.
  if (words.some((word, at) => word === '--data-dir=' || (word === '' && words[at - 1] === '--data-dir')))
    throw new UsageError('--data-dir takes a directory, and was given nothing.')
  try {
    return parseArgs({ args: words, options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error))
  }
}

/** A number below zero is a value, not an option of that name. */
function joined(args: readonly string[], options: Options): string[] {
  const takes = (word = '') => word.startsWith('--') && options[word.slice(2)]?.type === 'string'
  return args.flatMap((word, at) => {
    if (/^-\d+$/.test(word) && takes(args[at - 1])) return []
    const next = args[at + 1]
    return takes(word) && next !== undefined && /^-\d+$/.test(next) ? [`${word}=${next}`] : [word]
  })
}

/** The one thing that a command takes. */
export function only(positionals: readonly string[], what: string): string {
  const [first, ...more] = positionals
  if (first === undefined || more.length > 0) throw new UsageError(`The command takes ${what}.`)
  return first
}

export function nothing(positionals: readonly string[]): void {
  if (positionals.length > 0) throw new UsageError(`The command takes nothing like "${positionals[0]}".`)
}

export function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^-?\d{1,9}$/.test(text)) throw new UsageError(`${option} takes a whole number, not "${text}".`)
  return Number(text)
}

export const JSON_OPTION = { json: { type: 'boolean', help: 'print one JSON object' } } as const

export const DATA_DIR_OPTION = {
  'data-dir': { type: 'string', value: 'DIRECTORY', help: 'where database, keys and log live' },
} as const

/** Of commands that ask the running server, or open the house themselves where none runs. */
export const HOUSE_OPTIONS = {
  ...DATA_DIR_OPTION,
  database: {
    type: 'string',
    value: 'URL',
    help: 'postgres://… where the server has its database there (better: LATCHKEY_DATABASE)',
  },
  ...JSON_OPTION,
} as const
