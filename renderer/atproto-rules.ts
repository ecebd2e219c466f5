import type { Settings } from '../api/settings.ts'
import { originOf } from './setting-rules.ts'

/** Forms of the ATProto settings as in `api/settings.ts`; a test holds the two together. */

export const SIGN_UPS = ['linked', 'open'] as const satisfies readonly Settings['atproto_sign_up'][]
/** Every session needs it. */
export const BASE_SCOPE = 'atproto'
export const MOST_SCOPES = 30
export const MOST_PDS_OPTIONS = 20

export type PdsOption = Settings['atproto_pds_options'][number]

/** What is wrong with one place for new accounts, by its fields. */
export interface OptionFaults {
  name?: 'length'
  url?: 'origin' | 'twice'
  info_url?: 'https'
}

export function isScope(text: string): boolean {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/.test(text)
}

/** The faults of each, in their order. */
export function faultsOfOptions(options: readonly PdsOption[]): OptionFaults[] {
  const origins = options.map(({ url }) => originOf(url.trim()))
  return options.map(({ name, info_url }, index) => {
    const origin = origins[index]
    const isTwice = origin !== undefined && origins.indexOf(origin) !== index
    return {
      ...(name.trim() === '' || name.trim().length > 60 ? { name: 'length' } : {}),
      ...(origin === undefined ? { url: 'origin' } : isTwice ? { url: 'twice' } : {}),
      ...(info_url === null || isSecureAddress(info_url) ? {} : { info_url: 'https' }),
    }
  })
}

export function isFaulty(faults: OptionFaults): boolean {
  return Object.keys(faults).length > 0
}

/** Addresses as the interface takes them: without what does not matter. What is no address stays as it was typed. */
export function tidied(option: PdsOption): PdsOption {
  return { ...option, url: originOf(option.url.trim()) ?? option.url }
}

/** With the one at `from` moved to `to`. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.toSpliced(from, 1)
  return rest.toSpliced(to, 0, ...list.slice(from, from + 1))
}

function isSecureAddress(text: string): boolean {
  return text.length <= 300 && URL.parse(text)?.protocol === 'https:'
}
