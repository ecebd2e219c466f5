import { BackupError } from '../backup/sealed.ts'
import { DirectoryRefused } from '../backup/fitness.ts'
import { DirectoryOccupied } from '../backup/places.ts'
import { FileExists } from '../backup/write.ts'
import { ServerGone, ServerSilent } from '../control/channel.ts'
import { Refused } from '../control/refused.ts'
import { KeyringError } from '../keyring.ts'
import { ListenError } from '../listen.ts'
import { StorageOpenError } from '../storage/errors.ts'
import { Cancelled } from './cancel.ts'
import { UsageError } from './command.ts'
import { OutputLost } from './output.ts'

const EXIT = {
  failed: 1,
  usage: 2,
  in_use: 3,
  unopened: 4,
  port: 5,
  cancelled: 6,
  no_server: 7,
} as const

/** By their number. */
export const EXIT_TEXTS = [
  'done as asked',
  'something failed, was refused, or was found amiss',
  'wrong usage',
  'the data directory is in use',
  'the database or its keys cannot be opened',
  'the port or address cannot be used',
  'cancelled; nothing was left behind',
  'no server runs, and the command needs one',
] as const

export interface Problem {
  code: string
  message: string
  exit: number
}

/** Why a command did not do what it was asked, in a line and a number. */
export function problemOf(error: unknown, command: string): Problem {
  if (error instanceof UsageError)
    return { code: 'USAGE', message: `${error.message} See ${command} --help.`, exit: EXIT.usage }
  if (error instanceof StorageOpenError)
    return { ...known(error), exit: error.code === 'DATA_DIR_LOCKED' ? EXIT.in_use : EXIT.unopened }
  if (error instanceof KeyringError) return { ...named('KEYRING_UNREADABLE', error), exit: EXIT.unopened }
  if (error instanceof ListenError) return { ...named('PORT_UNAVAILABLE', error), exit: EXIT.port }
  if (error instanceof Refused)
    return { ...known(error), exit: error.code === 'NO_SERVER' ? EXIT.no_server : EXIT.failed }
  if (error instanceof BackupError) return { ...known(error), exit: EXIT.failed }
  if (error instanceof FileExists) return { ...named('FILE_EXISTS', error), exit: EXIT.failed }
  if (error instanceof DirectoryOccupied) return { ...named('DIRECTORY_NOT_EMPTY', error), exit: EXIT.failed }
  if (error instanceof DirectoryRefused) return { ...named('DIRECTORY_REFUSED', error), exit: EXIT.failed }
  if (error instanceof OutputLost) return { ...named('OUTPUT_LOST', error), exit: EXIT.failed }
  if (error instanceof Cancelled) return { ...named('CANCELLED', error), exit: EXIT.cancelled }
  if (error instanceof ServerSilent) return { ...named('SERVER_SILENT', error), exit: EXIT.failed }
  if (error instanceof ServerGone) return { ...named('SERVER_GONE', error), exit: EXIT.failed }
  if (isOfSystem(error)) return { code: error.code, message: error.message, exit: EXIT.failed }
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { code: 'INTERNAL', message: `Latchkey failed: ${what}`, exit: EXIT.failed }
}

/** Whether a line with the code in front says it all. */
export function textOf({ code, message }: Problem): string {
  return code === 'USAGE' || code === 'INTERNAL' ? message : `${code}: ${message}`
}

const known = ({ code, message }: { code: string; message: string }) => ({ code, message })
const named = (code: string, { message }: Error) => ({ code, message })

/** A file that is not there, a full disk: the system's own words are clear. */
function isOfSystem(error: unknown): error is Error & { code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string'
}
