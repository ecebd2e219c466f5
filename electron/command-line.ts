import { resolve } from 'node:path'
import { deepLinkIn } from './deep-link.ts'

/** What the program was started for: a command of the command line, the window, or something that cannot be meant. */
export type Started =
  | { kind: 'command'; command: string[] }
  | { kind: 'window'; window: WindowArguments }
  | { kind: 'mistake'; mistake: 'noDataDirectory' }

export interface WindowArguments {
  dataDirectory: string | undefined
  /** Into the tray, without a window: how it starts with the machine. */
  hidden: boolean
  /** Whether the key store of the system shall keep the keyring, from now on. */
  protectKeys: boolean | undefined
  link: string | undefined
}

/** Flags that ask the program itself something. Everything else that begins with a dash is Chromium's or ours. */
const TEXT_FLAGS = new Set(['--help', '--version'])

const DATA_DIR = '--data-dir'

/**
 * `argv` without the program's own path, and without the folder of the app that a developer's Electron is given. Where there is a
 * link, nothing beside it counts: the page that had it opened must not choose data or keys by words behind it.
 */
export function readArguments(argv: readonly string[]): Started {
  const [first] = argv
  if (first !== undefined && (TEXT_FLAGS.has(first) || /^[a-z][a-z-]*$/.test(first)))
    return { kind: 'command', command: [...argv] }
  const link = deepLinkIn(argv)
  const flags = link === undefined ? argv : []
  const named = dataDirectoryIn(flags)
  if (named !== undefined && (named === '' || named.startsWith('-')))
    return { kind: 'mistake', mistake: 'noDataDirectory' }
  const protectKeys = keysWantedIn(flags)
  // What begins here, Electron and the server alike want in full.
  const dataDirectory = named === undefined ? undefined : resolve(named)
  return { kind: 'window', window: { dataDirectory, hidden: flags.includes('--hidden'), protectKeys, link } }
}

/** What is named; empty where nothing follows. */
function dataDirectoryIn(argv: readonly string[]): string | undefined {
  const at = argv.indexOf(DATA_DIR)
  if (at !== -1) return argv[at + 1] ?? ''
  return argv.find((argument) => argument.startsWith(`${DATA_DIR}=`))?.slice(DATA_DIR.length + 1)
}

function keysWantedIn(argv: readonly string[]): boolean | undefined {
  if (argv.includes('--plain-keyring')) return false
  return argv.includes('--protect-keyring') ? true : undefined
}
