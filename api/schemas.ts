import { z } from 'zod'
import { PERMISSIONS } from './permissions.ts'

/** Shared shapes of requests and answers. Dates are ISO 8601 UTC strings; identifiers of people are integers. */

/** As large as the databases' integers. */
export const userId = z.int().positive().max(2_147_483_647)

/** Text that every database can keep and every hash tells apart: no NUL, no half of a surrogate pair. */
export const text = () =>
  z.string().refine((value) => value.isWellFormed() && !value.includes('\0'), 'must be well-formed text')

export const isoDate = z.iso.datetime()

/** Chosen names are stored lower-cased, so that `Ann` and `ann` are one person. */
export const username = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9_.-]{3,32}$/, '3 to 32 of a-z, 0-9, "_", "." and "-"')

/** A name as typed at sign-in: forgiving in form, bounded in size. */
export const typedUsername = text().trim().toLowerCase().min(1).max(64)

/** A password as typed. The bound is on work, not on the rule: the rule is the server's (`PASSWORD_UNACCEPTABLE`). */
export const typedPassword = text().min(1).max(1024)

/** A temporary password: at least 8 and at most 128 code points. */
export const temporaryPassword = text()
  .max(1024)
  .refine((text) => [...text].length >= 8 && [...text].length <= 128, '8 to 128 characters')

/** Hours a temporary password lives: -1 for no end, else 1 to 8760. */
export const expiresHours = z.int().refine((hours) => hours === -1 || (hours >= 1 && hours <= 8760), '-1, or 1 to 8760')

/** A six-digit TOTP code or a recovery code, spaces and dashes allowed. */
export const secondFactorCode = z.string().trim().min(6).max(40)

/** Any of the one-time secrets, pasted with white space around it. */
export const oneTimeSecret = z.string().trim().min(1).max(256)

export const email = z.email().max(254).toLowerCase()

/** An identifier of ATProto: `did:plc:` with its 24 characters, or `did:web:` with a host name. */
export const did = z
  .string()
  .trim()
  .regex(/^did:(plc:[a-z2-7]{24}|web:[a-z0-9.-]{1,253}(%3A\d{1,5})?)$/, 'a did:plc or did:web')

export const displayName = text()
  .trim()
  .regex(/^\P{Cc}{1,80}$/u, '1 to 80 characters, none of them for control')

export const LANGUAGES = ['en', 'zh-CN', 'ru', 'de'] as const
export type Language = (typeof LANGUAGES)[number]
export const language = z.enum(LANGUAGES)

export const permission = z.enum(PERMISSIONS)

export const SESSION_KINDS = ['browser', 'temporary', 'developer'] as const
export const AUTH_SOURCES = ['password', 'startup_token', 'login_token', 'atproto'] as const

/** Factors used to sign in, by their registered names (RFC 8176) where one exists. */
export const FACTORS = ['pwd', 'otp', 'recovery', 'device', 'startup', 'link', 'atproto'] as const
export type Factor = (typeof FACTORS)[number]

export const empty = z.strictObject({})

/** A person as others are told of him. */
export const person = z.object({ user_id: userId, username: z.string(), display_name: z.string().nullable() })
export type Person = z.output<typeof person>

/** Whole numbers in a query string: digits only, then within the bounds. */
function queryInteger(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, 'a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
}

/** A user in a query string. */
export const queryUserId = queryInteger(1, 2_147_483_647)

/** What every list takes. */
export const pageQuery = {
  limit: queryInteger(1, 200).default(50),
  cursor: z.string().max(512).optional(),
}

/**
 * What every list answers; stable under inserts because the cursor names the last row seen. A long list is not counted to its
 * end at every look: where `total_exact` is false, there are more than `total`.
 */
export function page<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next_cursor: z.string().nullable(),
    total: z.int(),
    total_exact: z.boolean(),
  })
}
