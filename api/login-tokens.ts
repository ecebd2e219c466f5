import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { displayName, isoDate, text, userId } from './schemas.ts'

const LOGIN_TOKEN_STATES = ['active', 'used', 'revoked', 'expired'] as const

/** The longest a login token lives, in seconds. */
const LONGEST_LIFE = 86_400

const person = z.object({ user_id: userId, username: z.string(), display_name: displayName.nullable() })

/** A login token as administrators see it: never its secret. */
const loginToken = z.object({
  uuid: z.string(),
  /** Who made it. */
  user_id: userId,
  user: person.nullable(),
  /** Whom it signs in. */
  login_user_id: userId,
  login_user: person.nullable(),
  status: z.enum(LOGIN_TOKEN_STATES),
  reason: z.string().nullable(),
  redirect_to: z.string().nullable(),
  created_at: isoDate,
  expires_at: isoDate,
  used_at: isoDate.nullable(),
  used_ip: z.string().nullable(),
  deleted_at: isoDate.nullable(),
})

/** One-time tokens that sign the person in whom they name. */
export const loginTokens = {
  create: endpoint({
    method: 'POST',
    path: '/api/administration/users/login-tokens',
    summary: 'Make a login token; its secret is in this answer and never again',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    fresh: true,
    body: z.strictObject({
      login_user_id: userId,
      /** Seconds. */
      expires_in: z.int().min(1).max(LONGEST_LIFE),
      reason: text().trim().max(200).optional(),
      /** Where to go once signed in: a path of ours, or an address of an allowed origin. */
      redirect_to: text().max(2000).optional(),
    }),
    output: loginToken.extend({ token: z.string(), login_url: z.string() }),
    status: 201,
    errors: ['USER_NOT_FOUND', 'TOO_MANY_ACTIVE', 'REDIRECT_NOT_ALLOWED'],
  }),
}
