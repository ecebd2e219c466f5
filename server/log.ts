import pino from 'pino'

export type Log = pino.Logger

/**
 * Structured logs, one JSON object a line. `destination` is a path or a file descriptor: by default standard error,
 * because standard output belongs to the lines of the contract. Secrets are kept out by never passing them; the
 * redaction is the second line of defence.
 */
export function createLog(options: { level: string; destination?: string | number }): Log {
  return pino(
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
    pino.destination({ dest: options.destination ?? 2, sync: false }),
  )
}
