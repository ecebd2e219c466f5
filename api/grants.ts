import { z } from 'zod'
import { authorization, CANNOT_BEGIN, ownPath, typedHandle } from './accounts.ts'
import { endpoint } from './endpoint.ts'
import { ATPROTO_SCOPE } from './settings.ts'
import { isoDate } from './schemas.ts'

const GRANT_STATES = ['live', 'needs_sign_in'] as const

/** What the provider of an ATProto account has granted to a session. */
const grant = z.object({
  did: z.string(),
  handle: z.string().nullable(),
  /** The authorization server. */
  issuer: z.string(),
  /** `needs_sign_in`: the grant was revoked, has run out or was lost; only signing in again brings another. */
  state: z.enum(GRANT_STATES),
  scopes: z.array(z.string()),
  /** What the settings require of every ATProto session. */
  required_scopes: z.array(z.string()),
  granted_at: isoDate,
  refreshed_at: isoDate,
  /** It must be refreshed before; the server sees to it. */
  refresh_deadline: isoDate,
  /** It will stop working on that day, whatever is done; null: as long as it is refreshed in time. */
  stops_working_on: isoDate.nullable(),
})

/** What providers of ATProto accounts grant, and what they read about us; part of the area `auth`. */
export const grants = {
  startScopeUpgrade: endpoint({
    method: 'POST',
    path: '/api/auth/scope-upgrade/start',
    summary: 'Ask the provider for further permissions, or for those that were lost; the session is replaced',
    auth: 'browser',
    gate: 'second_factor',
    scope: 'open',
    limit: 'address',
    body: z.strictObject({
      /** Those held are asked for, too. */
      scopes: z.array(ATPROTO_SCOPE).max(50),
      redirect_to: ownPath.optional(),
    }),
    output: authorization,
    errors: ['GRANT_ABSENT', 'REDIRECT_NOT_ALLOWED', 'SCOPE_NOT_GRANTED', ...CANNOT_BEGIN],
  }),

  grant: endpoint({
    method: 'GET',
    path: '/api/auth/grant',
    summary: 'What the provider of the ATProto account has granted to this session',
    auth: 'browser',
    scope: 'open',
    limit: 'none',
    output: grant,
    errors: ['GRANT_ABSENT'],
  }),

  refreshGrant: endpoint({
    method: 'POST',
    path: '/api/auth/grant/refresh',
    summary: 'Ask the provider whether the grant still stands',
    auth: 'browser',
    scope: 'open',
    limit: 'none',
    output: grant,
    errors: ['GRANT_ABSENT', 'PROVIDER_UNREACHABLE'],
  }),

  resolveHandle: endpoint({
    method: 'POST',
    path: '/api/v2/atproto/resolve-handle',
    summary: 'The DID of a handle, proved both ways; for administrators who link accounts',
    auth: 'USER_CONFIG',
    limit: 'none',
    body: z.strictObject({ handle: typedHandle }),
    output: z.object({ did: z.string(), handle: z.string().nullable() }),
    errors: ['ATPROTO_DISABLED', 'HANDLE_UNRESOLVED', 'PROVIDER_UNREACHABLE', 'TOO_MANY_ATTEMPTS'],
  }),

  clientMetadata: endpoint({
    method: 'GET',
    path: '/oauth-client-metadata.json',
    summary: 'What ATProto providers read about this server; there is none without a public https address',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.looseObject({ client_id: z.string() }),
    answers: 'document',
    errors: ['NOT_FOUND'],
  }),

  clientKeys: endpoint({
    method: 'GET',
    path: '/oauth/jwks.json',
    summary: 'The public keys with which this server proves itself to ATProto providers',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }),
    answers: 'document',
    errors: ['NOT_FOUND'],
  }),
}
