import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { session } from './own-sessions.ts'
import { empty, expiresHours, isoDate, temporaryPassword, text, userId } from './schemas.ts'
import { byId } from './users.ts'

/** Superusers whose ways in are told. */
export const MOST_WAYS_IN = 20

/** What lets a user in, in the hands of an administrator; part of the area `users`. */
export const userAccess = {
  waysIn: endpoint({
    method: 'GET',
    path: '/api/v2/ways-in',
    summary: 'The first twenty enabled superusers, with the ways by which they have really come in',
    auth: 'superuser',
    limit: 'none',
    output: z.object({
      items: z.array(
        z.object({ user_id: userId, username: z.string(), ways: z.array(z.enum(['password', 'atproto'])) }),
      ),
    }),
    errors: [],
  }),

  temporaryPasswordOptions: endpoint({
    method: 'GET',
    path: '/api/v2/users/temporary-password-options',
    summary: 'The lives that a reset offers for a temporary password',
    auth: 'USER_CONFIG',
    limit: 'none',
    output: z.object({ presets: z.array(z.int()), default_hours: z.int() }),
    errors: [],
  }),

  resetPassword: endpoint({
    method: 'POST',
    path: '/api/v2/users/:id/reset-password',
    summary: 'Give a user a temporary password; his sessions end, his unused login tokens are void',
    auth: 'USER_CONFIG',
    limit: 'none',
    target: { order: 'target_first' },
    params: byId,
    body: z.strictObject({
      /** The client generates it. */
      password: temporaryPassword,
      /** Ignored when no change is required. Absent: no end. */
      expires_hours: expiresHours.optional(),
      /** Absent: true. */
      require_password_change: z.boolean().optional(),
      /** Absent: false, developer tokens are kept. */
      revoke_developer_tokens: z.boolean().optional(),
    }),
    output: z.object({ password: z.string(), expires: isoDate.optional() }),
    errors: ['USER_NOT_FOUND', 'SELF_RESET', 'LAST_WAY_IN', 'OVERLOADED'],
  }),

  resetSecondFactor: endpoint({
    method: 'DELETE',
    path: '/api/v2/users/:id/totp',
    summary: "Switch a user's second factor off, with its recovery codes and trusted browsers",
    auth: 'USER_CONFIG',
    limit: 'none',
    fresh: true,
    target: {},
    params: byId,
    output: empty,
    errors: ['USER_NOT_FOUND', 'SELF_RESET', 'TOTP_NOT_ENABLED'],
  }),

  sessions: endpoint({
    method: 'GET',
    path: '/api/v2/users/:id/sessions',
    summary: 'Live sessions of a user, the newest use first',
    auth: 'USER_CONFIG',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId,
    output: z.object({ sessions: z.array(session) }),
    errors: ['USER_NOT_FOUND'],
  }),

  revokeSessions: endpoint({
    method: 'DELETE',
    path: '/api/v2/users/:id/sessions',
    summary: 'End every session of a user; his unused login tokens are void',
    auth: 'USER_CONFIG',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId,
    output: empty,
    errors: ['USER_NOT_FOUND'],
  }),

  revokeSession: endpoint({
    method: 'DELETE',
    path: '/api/v2/users/:id/sessions/:session_id',
    summary: 'End one session of a user',
    auth: 'USER_CONFIG',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId.extend({ session_id: text().max(64) }),
    output: empty,
    errors: ['USER_NOT_FOUND', 'SESSION_NOT_FOUND'],
  }),
}
