import { normalNetwork } from '../api/networks.ts'
import type { SettingName, Settings } from '../api/settings.ts'

/**
 * First values and bounds as in `api/settings.ts`, written again because importing a value from there would bring the
 * schemas along; a test holds the two together. Times are in seconds.
 */

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

export const DEFAULT_SETTINGS: Settings = {
  temp_password_presets: [-1, 1, 24, 168],
  temp_password_default: 24,
  min_password_length: 8,
  mfa_demand: 'nobody',
  session_idle: DAY,
  session_absolute: 30 * DAY,
  name_failures: 3,
  name_window: 3 * MINUTE,
  name_cooldown: 5 * MINUTE,
  address_failures: 30,
  address_window: 5 * MINUTE,
  address_cooldown: 5 * MINUTE,
  account_failures: 100,
  redirect_origins: [],
  audit_keep_days: 0,
  atproto_enabled: true,
  atproto_sign_up: 'linked',
  atproto_scopes: ['atproto'],
  atproto_pds_options: [
    {
      name: 'Bluesky',
      url: 'https://bsky.social',
      recommended: true,
      description: 'The largest provider of ATProto accounts.',
      info_url: 'https://bsky.social/about',
    },
  ],
  account_creation_enabled: false,
  admin_networks: [],
  lan_enabled: false,
}

export type Bounds = readonly [min: number, max: number]
export type NumberSetting = keyof typeof SETTING_BOUNDS

export const SETTING_BOUNDS = {
  min_password_length: [8, 64],
  audit_keep_days: [30, 3650],
  session_idle: [5 * MINUTE, 30 * DAY],
  session_absolute: [HOUR, 90 * DAY],
  name_failures: [1, 20],
  name_window: [MINUTE, DAY],
  name_cooldown: [MINUTE, DAY],
  address_failures: [5, 1000],
  address_window: [MINUTE, DAY],
  address_cooldown: [MINUTE, DAY],
  account_failures: [10, 100],
} as const satisfies Partial<Record<SettingName, Bounds>>

export const MFA_DEMANDS = [
  'nobody',
  'administrators',
  'everybody',
] as const satisfies readonly Settings['mfa_demand'][]

/** Lives of temporary passwords, in hours. */
export const LIFE_BOUNDS: Bounds = [1, 8760]
export const MOST_LIVES = 12
export const MOST_ORIGINS = 50
export const MOST_NETWORKS = 50
/** From here on a password alone is advisable. */
export const LONG_ENOUGH_ALONE = 15

/** Lives in the order of reading: the shortest first, no end last, none twice. */
export function orderedLives(lives: readonly number[]): number[] {
  const rank = (hours: number) => (hours === -1 ? Infinity : hours)
  return [...new Set(lives)].toSorted((a, b) => rank(a) - rank(b))
}

/** Addresses typed one per line, as origins; and the first line that is none. */
export function readOrigins(text: string): { origins: string[]; faulty: string | undefined } {
  const { read, faulty } = readLines(text, originOf)
  return { origins: read, faulty }
}

/** Networks typed one per line, in their one spelling; and the first line that is none. */
export function readNetworks(text: string): { networks: string[]; faulty: string | undefined } {
  const { read, faulty } = readLines(text, normalNetwork)
  return { networks: read, faulty }
}

function readLines(text: string, readLine: (line: string) => string | undefined) {
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const read = lines.map(readLine)
  const faulty = lines[read.indexOf(undefined)]
  return { read: [...new Set(read.filter((one) => one !== undefined))], faulty }
}

/** `https://Wiki.example.org/` is meant as `https://wiki.example.org`; a longer path is not ours to drop. */
export function originOf(line: string): string | undefined {
  const url = URL.parse(line)
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  return url.href === `${url.origin}/` ? url.origin : undefined
}
