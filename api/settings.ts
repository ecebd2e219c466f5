import { z } from 'zod'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What an administrator can set, with the values that hold until he does. Times are in milliseconds. */
const settings = z.object({
  min_password_length: z.int().min(8).max(64).default(8),
  /** A session that nobody used for this long has ended. */
  session_idle: z
    .int()
    .min(5 * MINUTE)
    .max(30 * DAY)
    .default(DAY),
  /** No session lives longer, whatever its source. */
  session_absolute: z
    .int()
    .min(HOUR)
    .max(90 * DAY)
    .default(30 * DAY),
  account_creation_enabled: z.boolean().default(false),
})
export type Settings = z.output<typeof settings>

/** Stored settings over their defaults; one that no longer fits its bounds counts as not stored. */
export function readSettings(stored: Record<string, unknown>): Settings {
  const sound = Object.entries(settings.shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(stored[name])
    return parsed.success ? [[name, parsed.data]] : []
  })
  return settings.parse(Object.fromEntries(sound))
}
