import { createConfig } from './config.ts'
import { type KeyProtector, KeyringError } from './keyring.ts'
import { ListenError } from './listen.ts'
import { type RunningServer, start } from './start.ts'
import { StorageOpenError } from './storage/errors.ts'

/** The door by which the desktop app comes in: the same server, in a process of the app's own. */
export interface EmbeddedOptions {
  /** 0 lets the system choose. */
  port: number
  /** Absent: the same place as on the command line, so that `latchkey startup-token` finds this server. */
  dataDirectory: string | undefined
}

/** Where an embedded server keeps its things, known before it starts. */
export interface Places {
  dataDirectory: string
  logFile: string
}

export interface Embedded {
  places: Places
  /** Rejects with what `problemOf` puts into words. */
  start(protector: KeyProtector): Promise<RunningServer>
}

export function createEmbedded({ port, dataDirectory }: EmbeddedOptions): Embedded {
  const config = createConfig({ port, dataDirectory })
  return {
    places: { dataDirectory: config.dataDirectory, logFile: config.logFile },
    start: (keyProtector) => start(config, { keyProtector }),
  }
}

/** Why a server did not start: a code to tell cases apart, and words that name the file or port and what to do. */
export function problemOf(error: unknown): { code: string; message: string } {
  if (error instanceof StorageOpenError) return { code: error.code, message: error.message }
  if (error instanceof KeyringError) return { code: 'KEYRING_UNREADABLE', message: error.message }
  if (error instanceof ListenError) return { code: 'PORT_UNAVAILABLE', message: error.message }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}
