import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { page, email, isoDate, pageQuery, person, queryUserId, text, userId } from './schemas.ts'

export const LOGIN_TOKEN_STATES = ['active', 'used', 'revoked', 'expired'] as const
export type LoginTokenState = (typeof LOGIN_TOKEN_STATES)[number]

/** The longest a login token lives, in seconds. */
const LONGEST_LIFE = 86_400

/** A login token as administrators see it: never its secret. */
const loginToken = z.object({
  uuid: z.string(),
  /** Who made it. */
  user_id: userId,
  /** Null once deleted, like the other. */
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
  /** When it was used or revoked; null while neither has happened. */
  deleted_at: isoDate.nullable(),
})
export type LoginToken = z.output<typeof loginToken>

/** The one answer that holds the secret. */
const mintedToken = loginToken.extend({ token: z.string(), login_url: z.string() })
export type MintedLoginToken = z.output<typeof mintedToken>

const newToken = {
  /** Seconds. */
  expires_in: z.int().min(1).max(LONGEST_LIFE),
  reason: text().trim().max(200).optional(),
  /** Where to go once signed in: a path of ours, or an address of an allowed origin. */
  redirect_to: text().max(2000).optional(),
}

/** `true`: those that are over, too. */
const withTrashed = z.enum(['true', 'false']).optional()

/** Anything: what is no identifier of ours names no token. */
const byUuid = z.object({ uuid: z.string() })

/** One-time tokens that sign the person in whom they name. */
export const loginTokens = {
  list: endpoint({
    method: 'GET',
    path: '/api/administration/users/login-tokens',
    summary: 'Login tokens, the newest first; of the people whom the caller may administer',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    query: z.strictObject({
      with_trashed: withTrashed,
      /** Only those in this state, whatever `with_trashed` says. */
      status: z.enum(LOGIN_TOKEN_STATES).optional(),
      login_user_id: queryUserId.optional(),
      /** Who made them. */
      user_id: queryUserId.optional(),
      ...pageQuery,
    }),
    output: page(loginToken),
    errors: [],
  }),

  read: endpoint({
    method: 'GET',
    path: '/api/administration/users/login-tokens/:uuid',
    summary: 'One login token; one that is over only with `with_trashed=true`',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    params: byUuid,
    query: z.strictObject({ with_trashed: withTrashed }),
    output: loginToken,
    errors: ['TOKEN_NOT_FOUND'],
  }),

  create: endpoint({
    method: 'POST',
    path: '/api/administration/users/login-tokens',
    summary: 'Make a login token; its secret is in this answer and never again',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    fresh: true,
    body: z.strictObject({ login_user_id: userId, ...newToken }),
    output: mintedToken,
    status: 201,
    errors: ['USER_NOT_FOUND', 'TOO_MANY_ACTIVE', 'REDIRECT_NOT_ALLOWED'],
  }),

  createByEmail: endpoint({
    method: 'POST',
    path: '/api/administration/users/login-tokens/email',
    summary: 'Make a login token for whom a mail address names; its secret is in this answer and never again',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    fresh: true,
    body: z.strictObject({ login_user_email: email, ...newToken }),
    output: mintedToken,
    status: 201,
    errors: ['USER_NOT_FOUND', 'TOO_MANY_ACTIVE', 'REDIRECT_NOT_ALLOWED'],
  }),

  revoke: endpoint({
    method: 'DELETE',
    path: '/api/administration/users/login-tokens/:uuid',
    summary: 'Revoke a login token that nobody has used',
    auth: 'LOGIN_TOKENS',
    limit: 'none',
    params: byUuid,
    output: loginToken,
    errors: ['TOKEN_NOT_FOUND'],
  }),
}
