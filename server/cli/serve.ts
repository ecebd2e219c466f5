import { createConfig } from '../config.ts'
import { KeyringError } from '../keyring.ts'
import { ListenError } from '../listen.ts'
import { start, type RunningServer } from '../start.ts'
import { StorageOpenError } from '../storage/errors.ts'
import { parseServe } from './arguments.ts'
import { printLine, printProblem } from './output.ts'

/** Runs a server until it is told to stop. Resolves with the exit code. */
export async function serve(args: string[]): Promise<number> {
  const { flags, json } = parseServe(args)
  const config = createConfig(flags)
  const ending = nextSignal()
  let server: RunningServer
  try {
    server = await start(config)
  } catch (error) {
    return explain(error)
  }
  printLine({ event: 'ready', url: server.url }, json)
  if (server.setupToken !== undefined) {
    const url = `${server.url}/setup#${server.setupToken}`
    printLine({ event: 'setup_link', url, token: server.setupToken }, json)
  }
  if (config.printLoginToken) printLine({ event: 'startup_token', token: server.mintStartupToken() }, json)
  await ending
  await server.stop()
  return 0
}

/** SIGTERM, SIGINT or SIGHUP; a second one while stopping ends the process at once, as the system does by default. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
}

function explain(error: unknown): number {
  if (error instanceof StorageOpenError) {
    printProblem(`${error.code}: ${error.message}`)
    return error.code === 'DATA_DIR_LOCKED' ? 3 : 4
  }
  if (error instanceof KeyringError) {
    printProblem(`KEYRING_UNREADABLE: ${error.message}`)
    return 4
  }
  if (error instanceof ListenError) {
    printProblem(`PORT_UNAVAILABLE: ${error.message}`)
    return 5
  }
  throw error
}
