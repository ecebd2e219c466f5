import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { normalNetwork } from './networks.ts'
import { expiresHours } from './schemas.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** Who must have a second factor: nobody, whoever administers anything, or everybody. */
const MFA_DEMANDS = ['nobody', 'administrators', 'everybody'] as const

const seconds = (min: number, max: number) => z.int().min(min).max(max)

/** An address without path, as browsers send it in `Origin`: `https://wiki.example.org`. */
const webOrigin = z
  .string()
  .max(300)
  .refine((text) => URL.canParse(text) && new URL(text).origin === text.toLowerCase(), 'an origin: scheme and host')
  .toLowerCase()

/** An address or a range of them, kept in one spelling: `192.168.1.0/24`, `fd00::1`. */
const network = z
  .string()
  .max(60)
  .refine((text) => normalNetwork(text) !== undefined, 'an address, or a range like 192.168.1.0/24')
  .overwrite((text) => normalNetwork(text) ?? text)

/** One scope of ATProto's OAuth: `atproto`, `transition:generic`, `repo:app.bsky.feed.post?action=create`. */
export const ATPROTO_SCOPE = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'one scope, without white space')

/** Who may come in by ATProto: accounts that somebody linked, or everybody. */
const ATPROTO_SIGN_UPS = ['linked', 'open'] as const

const pdsOption = z.strictObject({
  name: z.string().trim().min(1).max(60),
  url: webOrigin,
  recommended: z.boolean(),
  description: z.string().trim().max(200),
  info_url: z
    .url({ protocol: /^https$/ })
    .max(300)
    .nullable(),
})

/** What an administrator can set, with the values that hold until he does. Times are in seconds unless named. */
const fields = {
  /** Hours that a reset offers as the life of a temporary password; -1: no end. */
  temp_password_presets: z
    .array(expiresHours)
    .min(1)
    .max(12)
    .refine((hours) => new Set(hours).size === hours.length, 'each once'),
  /** The one of them that is chosen beforehand. */
  temp_password_default: expiresHours,
  /** Code points of a chosen password. 15 or more is advisable where no second factor is demanded. */
  min_password_length: z.int().min(8).max(64),
  /** Whoever it names is held at the enrolment until he has a second factor. */
  mfa_demand: z.enum(MFA_DEMANDS),
  /** A session that nobody used for this long has ended. */
  session_idle: seconds(5 * MINUTE, 30 * DAY),
  /** No session lives longer, whatever its source; sessions under way included. */
  session_absolute: seconds(HOUR, 90 * DAY),
  /** Failures of one user name from one address within `name_window` that start a cool-down of `name_cooldown`. */
  name_failures: z.int().min(1).max(20),
  name_window: seconds(MINUTE, DAY),
  name_cooldown: seconds(MINUTE, DAY),
  /** The same for one address and any credential. */
  address_failures: z.int().min(5).max(1000),
  address_window: seconds(MINUTE, DAY),
  address_cooldown: seconds(MINUTE, DAY),
  /** Consecutive failures against one account that lock it until a reset or the startup token opens it. */
  account_failures: z.int().min(10).max(100),
  /** Where a login token may send people, besides our own pages. */
  redirect_origins: z.array(webOrigin).max(50),
  /** Days that an entry of the audit is kept, 30 at the least; 0: for ever. */
  audit_keep_days: z
    .int()
    .min(0)
    .max(3650)
    .refine((days) => days === 0 || days >= 30, '0, or 30 to 3650'),
  /** Sign-in with ATProto accounts. */
  atproto_enabled: z.boolean(),
  /** `linked`: accounts that an administrator entered or a signed-in user linked; `open`: everybody, as a new user without rights. */
  atproto_sign_up: z.enum(ATPROTO_SIGN_UPS),
  /** What every ATProto session must have been granted; sessions with less are asked to get more. `atproto` is always among them. */
  atproto_scopes: z
    .array(ATPROTO_SCOPE)
    .max(30)
    .refine((scopes) => scopes.includes('atproto') && new Set(scopes).size === scopes.length, 'atproto, and each once'),
  /** Where new ATProto accounts are offered. */
  atproto_pds_options: z
    .array(pdsOption)
    .max(20)
    .refine((options) => new Set(options.map(({ url }) => url)).size === options.length, 'each address once'),
  /** New accounts can be made from the sign-in page; only while `atproto_sign_up` is `open`, because nobody has linked them. */
  account_creation_enabled: z.boolean(),
  /** From where people may administer, besides this machine itself; none named: from anywhere. */
  admin_networks: z
    .array(network)
    .max(50)
    .overwrite((networks) => [...new Set(networks)]),
  /** Other machines of the network may reach us, over TLS. */
  lan_enabled: z.boolean(),
} as const

const settings = z.object(fields)
export type Settings = z.output<typeof settings>
export type SettingName = keyof Settings

const DEFAULTS: Settings = {
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

/** Stored settings over their defaults; one that no longer fits its bounds counts as not stored. */
export function readSettings(stored: Record<string, unknown>): Settings {
  const sound = Object.entries(fields).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(stored[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return settings.parse({ ...DEFAULTS, ...Object.fromEntries(sound) })
}

/** What the administrator can set. */
export const settingCalls = {
  read: endpoint({
    method: 'GET',
    path: '/api/v2/settings',
    summary: 'The settings',
    auth: 'SETTINGS',
    limit: 'none',
    output: settings,
    errors: [],
  }),

  change: endpoint({
    method: 'PATCH',
    path: '/api/v2/settings',
    summary: 'Change settings; they hold at once',
    auth: 'SETTINGS',
    limit: 'none',
    body: z.strictObject(fields).partial(),
    output: settings,
    errors: ['SETTING_UNSOUND', 'ADMIN_NETWORK_SELF', 'LAST_WAY_IN'],
  }),
}
