import { isIP } from 'node:net'
import { parseArgs } from 'node:util'
import type { Config } from '../config.ts'

/** What was typed cannot be understood; its message names the word. */
export class UsageError extends Error {}

export interface ServeArguments {
  flags: { [K in keyof Config]?: Config[K] | undefined }
  json: boolean
}

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  'data-dir': { type: 'string' },
  database: { type: 'string' },
  'public-url': { type: 'string' },
  'trusted-proxy': { type: 'string', multiple: true },
  'print-login-token': { type: 'boolean' },
  'insecure-http': { type: 'boolean' },
  'atproto-plc': { type: 'string' },
  'atproto-resolver': { type: 'string' },
  'atproto-private': { type: 'boolean' },
  'log-file': { type: 'string' },
  'log-level': { type: 'string' },
  json: { type: 'boolean' },
} as const

export function parseServe(args: string[]): ServeArguments {
  const values = parse(args)
  return {
    json: values.json ?? false,
    flags: {
      port: portOf(values.port),
      host: values.host,
      dataDirectory: values['data-dir'],
      database: databaseOf(values.database),
      publicUrl: publicUrlOf(values['public-url']),
      trustedProxies: values['trusted-proxy']?.map(rangeOf),
      printLoginToken: values['print-login-token'],
      insecureHttp: values['insecure-http'],
      atprotoPlc: addressOf('--atproto-plc', values['atproto-plc']),
      atprotoResolver: addressOf('--atproto-resolver', values['atproto-resolver']),
      atprotoPrivate: values['atproto-private'],
      logFile: values['log-file'],
      logLevel: levelOf(values['log-level']),
    },
  }
}

export interface AuditVerifyArguments {
  file: string
  /** The key that must have signed. */
  key: string | undefined
  dataDirectory: string | undefined
  json: boolean
}

const VERIFY_OPTIONS = {
  key: { type: 'string' },
  'data-dir': { type: 'string' },
  json: { type: 'boolean' },
} as const

export function parseAuditVerify(args: string[]): AuditVerifyArguments {
  const { values, positionals } = understood(() =>
    parseArgs({ args, options: VERIFY_OPTIONS, strict: true, allowPositionals: true }),
  )
  const [file, ...more] = positionals
  if (file === undefined || more.length > 0) throw new UsageError('audit verify takes one file.')
  if (values.key !== undefined && !/^[0-9a-f]{32}$/.test(values.key))
    throw new UsageError('--key takes the 32 characters that a seal names as its key.')
  return { file, key: values.key, dataDirectory: values['data-dir'], json: values.json ?? false }
}

function parse(args: string[]) {
  return understood(() => parseArgs({ args, options: OPTIONS, strict: true, allowPositionals: false }).values)
}

function understood<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error))
  }
}

function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--port takes a number from 0 to 65535, not "${text}".`)
  return port
}

function rangeOf(text: string): string {
  const [address = '', bits = '0', ...rest] = text.split('/')
  const family = isIP(address)
  const sound = family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128) && rest.length === 0
  if (!sound) throw new UsageError(`--trusted-proxy takes an address or a range such as 10.0.0.0/8, not "${text}".`)
  return text
}

function levelOf(text: string | undefined): string | undefined {
  if (text === undefined || ['debug', 'info', 'warn', 'error'].includes(text)) return text
  throw new UsageError(`--log-level takes debug, info, warn or error, not "${text}".`)
}

function databaseOf(url: string | undefined): string | undefined {
  if (url === undefined || /^postgres(ql)?:\/\//.test(url)) return url
  throw new UsageError('--database takes an address that begins with postgres://')
}

function publicUrlOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  if (!URL.canParse(url) || !/^https?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--public-url takes an address such as https://console.example.org, not "${url}".`)
  return url.replace(/\/$/, '')
}

function addressOf(option: string, url: string | undefined): string | undefined {
  if (url === undefined || (URL.canParse(url) && /^https?:\/\//.test(url))) return url
  throw new UsageError(`${option} takes an address that begins with https://, not "${url}".`)
}
