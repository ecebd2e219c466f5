import { once } from 'node:events'
import pino from 'pino'

export type Log = pino.Logger

/** A log, and how it ends: with everything that was said in the file. Nothing may be said afterwards, and nothing will be. */
export interface OpenLog {
  log: Log
  close(): Promise<void>
}

/**
 * Structured logs, one JSON object a line. `destination` is a path or a file descriptor: by default standard error,
 * because standard output belongs to the lines of the contract. Secrets are kept out by never passing them; the
 * redaction is the second line of defence.
 */
export function createLog(options: { level: string; destination?: string | number }): OpenLog {
  const destination = pino.destination({ dest: options.destination ?? 2, sync: false })
  const log = pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          'token',
          'password',
          'secret',
          'cookie',
          'authorization',
          '*.token',
          '*.password',
          '*.secret',
          '*.cookie',
          '*.authorization',
        ],
        censor: '[kept out]',
      },
    },
    destination,
  )
  let closed: Promise<unknown> | undefined
  return {
    log,
    async close() {
      log.level = 'silent'
      if (!closed) {
        // Asked to flush, the destination of an unbuffered log answers at once, whether it has written or not.
        closed = once(destination, 'close')
        destination.end()
      }
      await closed
    },
  }
}
