import { deepLinkIn } from './deep-link.ts'

/** What the program was started for: a command of the command line, or the window. */
export type Started = { command: string[] } | { command: undefined; window: WindowArguments }

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

/** `argv` without the program's own path, and without the folder of the app that a developer's Electron is given. */
export function readArguments(argv: readonly string[]): Started {
  const [first] = argv
  if (first !== undefined && (TEXT_FLAGS.has(first) || /^[a-z][a-z-]*$/.test(first))) return { command: [...argv] }
  const at = argv.indexOf('--data-dir')
  const after = at === -1 ? undefined : argv[at + 1]
  const joined = argv.find((argument) => argument.startsWith('--data-dir='))?.slice('--data-dir='.length)
  return {
    command: undefined,
    window: {
      dataDirectory: after ?? joined,
      hidden: argv.includes('--hidden'),
      protectKeys: argv.includes('--plain-keyring') ? false : argv.includes('--protect-keyring') ? true : undefined,
      link: deepLinkIn(argv),
    },
  }
}
