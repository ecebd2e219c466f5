import { isIP } from 'node:net'
import { UsageError } from './command.ts'

/** What the options of the server take. Each answers what it is given when that is sound. @throws UsageError */

export function portOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const port = Number(text)
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new UsageError(`--port takes a number from 0 to 65535, not "${text}".`)
  return port
}

export function rangeOf(text: string): string {
  const [address = '', bits = '0', ...rest] = text.split('/')
  const family = isIP(address)
  const sound = family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128) && rest.length === 0
  if (!sound) throw new UsageError(`--trusted-proxy takes an address or a range such as 10.0.0.0/8, not "${text}".`)
  return text
}

export function levelOf(text: string | undefined): string | undefined {
  if (text === undefined || ['debug', 'info', 'warn', 'error'].includes(text)) return text
  throw new UsageError(`--log-level takes debug, info, warn or error, not "${text}".`)
}

export function databaseOf(url: string | undefined): string | undefined {
  if (url === undefined || /^postgres(ql)?:\/\//.test(url)) return url
  throw new UsageError('--database takes an address that begins with postgres://')
}

export function publicUrlOf(url: string | undefined): string | undefined {
  if (url === undefined) return undefined
  if (!URL.canParse(url) || !/^https?:\/\/[^/]+\/?$/.test(url))
    throw new UsageError(`--public-url takes an address such as https://console.example.org, not "${url}".`)
  return url.replace(/\/$/, '')
}

export function addressOf(option: string, url: string | undefined): string | undefined {
  if (url === undefined || (URL.canParse(url) && /^https?:\/\//.test(url))) return url
  throw new UsageError(`${option} takes an address that begins with https://, not "${url}".`)
}
