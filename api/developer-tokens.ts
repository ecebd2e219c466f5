import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { empty, isoDate, text } from './schemas.ts'

/** What the owner calls it. */
const name = text()
  .trim()
  .regex(/^\P{Cc}{1,60}$/u, '1 to 60 characters, none of them for control')
const days = z.int().min(1).max(365)
const asked = {
  name: name.optional(),
  /** Absent: 90. */
  expires_in_days: days.default(90),
}

const developerToken = z.object({
  /** Eight public characters: what the token begins with. */
  prefix: z.string(),
  name: z.string().nullable(),
  created_at: isoDate,
  expires_at: isoDate,
  /** Null: never. */
  last_used_at: isoDate.nullable(),
  /** The ATProto account that granted it; null: a token of the local account. */
  did: z.string().nullable(),
  /** Before `expires_at` where the grant behind it ends earlier. */
  stops_working_on: isoDate,
  /** The grant behind it is gone: the token opens nothing any more. */
  needs_sign_in: z.boolean(),
})
export type DeveloperToken = z.output<typeof developerToken>

/** Tokens by which programs act for their owner; part of the area `auth`. */
export const developerTokens = {
  startDeveloperToken: endpoint({
    method: 'POST',
    path: '/api/auth/developer-token/start',
    summary: 'Have the provider of the ATProto account grant a developer token of its own',
    auth: 'browser',
    limit: 'address',
    body: z.strictObject(asked),
    output: z.object({ auth_url: z.string() }),
    errors: [
      'GRANT_ABSENT',
      'TOO_MANY_ACTIVE',
      'ATPROTO_DISABLED',
      'HANDLE_UNRESOLVED',
      'PROVIDER_UNREACHABLE',
      'PAIRING_REQUIRED',
      'INSECURE_TRANSPORT',
    ],
  }),

  createDeveloperToken: endpoint({
    method: 'POST',
    path: '/api/auth/developer-tokens',
    summary: 'Make a developer token of the local account',
    auth: 'browser',
    fresh: true,
    limit: 'none',
    body: z.strictObject(asked),
    output: developerToken.extend({
      /** The token itself; shown once. */
      token: z.string(),
    }),
    status: 201,
    errors: ['TOO_MANY_ACTIVE'],
  }),

  developerTokens: endpoint({
    method: 'GET',
    path: '/api/auth/developer-tokens',
    summary: 'Own developer tokens that have not ended, the newest first; never the secret',
    auth: 'session',
    limit: 'none',
    output: z.object({ tokens: z.array(developerToken) }),
    errors: [],
  }),

  revokeDeveloperToken: endpoint({
    method: 'DELETE',
    path: '/api/auth/developer-tokens/:token_prefix',
    summary: 'Revoke the own developer token that begins like this',
    auth: 'browser',
    limit: 'none',
    /** Eight characters at the least; the whole token will do. */
    params: z.object({ token_prefix: text().min(8).max(64) }),
    output: empty,
    errors: ['TOKEN_NOT_FOUND', 'AMBIGUOUS_PREFIX'],
  }),
}
