const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

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
/** A flow that left for a provider may take this long, and a pairing. */
export const FLOW_LIFE = 10 * MINUTE
export const EXCHANGE_TOKEN_LIFE = MINUTE
export const DEVELOPER_TOKEN_DAY = DAY

/**
 * How long providers let a grant live, in all and without being refreshed: what ATProto's OAuth allows, and its reference server does.
 * A client that proves itself by a key is trusted for longer.
 */
export const GRANT_LIFE = {
  public: { all: 14 * DAY, unrefreshed: 14 * DAY },
  confidential: { all: undefined, unrefreshed: 90 * DAY },
} as const
/** Grants are refreshed when the last time is this long ago. */
export const REFRESH_EVERY = DAY
/** A refresh that was sent and not heard of for this long is lost; requests end long before. */
export const REFRESH_LOST_AFTER = MINUTE

/** When a temporary password ends that was given so many hours; null, without an end, for -1 or where no change is required. */
export function endOfTemporaryPassword(required: boolean, hours: number, now: number): number | null {
  return required && hours > 0 ? now + hours * HOUR : null
}
