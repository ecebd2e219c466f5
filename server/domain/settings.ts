import { z } from 'zod'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What an administrator can set, with the values that hold until he does. Times are in milliseconds. */
const settingsSchema = z.object({
  min_password_length: z.int().min(8).max(64).default(8),
  /** A session that nobody used for this long has ended. */
  session_idle: z.int().min(5 * MINUTE).max(30 * DAY).default(DAY),
  /** No session lives longer, whatever its source. */
  session_absolute: z.int().min(HOUR).max(90 * DAY).default(30 * DAY),
  account_creation_enabled: z.boolean().default(false),
})
export type Settings = z.output<typeof settingsSchema>

/** Stored settings over their defaults; one that no longer fits its bounds counts as not stored. */
export function readSettings(stored: Record<string, unknown>): Settings {
  const sound = Object.entries(settingsSchema.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(stored[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return settingsSchema.parse(Object.fromEntries(sound))
}

/** How long a session lives, by what it was made with. */
export const SESSION_LIFE = {
  password: 7 * DAY,
  login_token: 7 * DAY,
  startup_token: 259_200_000,
  atproto: 14 * DAY,
} as const

/** A trusted browser is not asked for a code for this long. */
export const TRUSTED_DEVICE_LIFE = 30 * DAY
/** Risky acts want a proof of password or code no older than this. */
export const FRESH_FOR = 15 * MINUTE
/** A session's last use is written down at most this often. */
export const TOUCH_EVERY = MINUTE
export const MAX_GROUP = 5
