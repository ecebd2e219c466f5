import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import { empty, isoDate, oneTimeSecret, text, userId } from './schemas.ts'

/** A handle as typed, with or without `@`, or a DID. */
export const typedHandle = text()
  .trim()
  .toLowerCase()
  .min(1)
  .max(253)
  .transform((handle) => handle.replace(/^@/, ''))

/** A path of our own page, to come back to. */
export const ownPath = text().max(500)

const account = z.object({
  user_id: userId,
  username: z.string(),
  did: z.string().nullable(),
  handle: z.string().nullable(),
})

/** Where the browser goes to have the account's provider ask its owner. */
export const authorization = z.object({ auth_url: z.string() })

/** What every flow may answer before it leaves for the provider. */
export const CANNOT_BEGIN = [
  'ATPROTO_DISABLED',
  'HANDLE_UNRESOLVED',
  'PROVIDER_UNREACHABLE',
  'PAIRING_REQUIRED',
  'INSECURE_TRANSPORT',
] as const

/** ATProto sign-in, and the accounts of one browser; part of the area `auth`. */
export const accounts = {
  pdsOptions: endpoint({
    method: 'GET',
    path: '/api/auth/pds-options',
    summary: 'Where new ATProto accounts can be made',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({
      enabled: z.boolean(),
      options: z.array(
        z.object({
          name: z.string(),
          url: z.string(),
          recommended: z.boolean(),
          description: z.string(),
          info_url: z.string().nullable(),
        }),
      ),
    }),
    errors: [],
  }),

  start: endpoint({
    method: 'GET',
    path: '/api/auth/start',
    summary: 'Send the browser to the provider of an ATProto account: to sign in by handle, or to make an account',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'address',
    query: z.strictObject({
      handle: typedHandle.optional(),
      /** One of `pds-options`. */
      pds_url: text().trim().max(300).optional(),
      /** A path of ours to end at. */
      return_to: ownPath.optional(),
    }),
    output: z.object({ location: z.string(), status: z.literal(302) }),
    answers: 'redirect',
    errors: ['START_PARAMETERS', 'ACCOUNT_CREATION_DISABLED', 'PDS_NOT_OFFERED', ...CANNOT_BEGIN],
  }),

  callback: endpoint({
    method: 'GET',
    path: '/api/auth/callback',
    summary: 'Where the provider sends the browser back to; answers 303 to a page, failures to /login#auth_error=CODE',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    /** As the provider sends it: judged by the handler, never refused for a field too many. */
    query: z.looseObject({}),
    output: z.object({ location: z.string(), status: z.literal(303) }),
    answers: 'redirect',
    /** The provider sends it. */
    from_elsewhere: true,
    errors: [],
  }),

  exchange: endpoint({
    method: 'POST',
    path: '/api/auth/exchange',
    summary:
      'Turn the exchange token of a callback into a session or a developer token; works once, in the same browser',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'address',
    body: z.strictObject({ exchange_token: oneTimeSecret, client: z.enum(['browser', 'cli']).optional() }),
    output: z.object({
      /**
       * To `browser`: the public name of the session, whose secret is in the cookie alone. To `cli`: the credential to send
       * as `Authorization: Bearer`. Of a developer token, to both: the token itself.
       */
      session_id: z.string(),
      user_id: userId,
      username: z.string(),
      /** The developer token that was made: shown once, never a cookie. */
      developer_token: z
        .object({
          prefix: z.string(),
          name: z.string().nullable(),
          expires_at: isoDate,
          /** Before `expires_at` where the grant behind it ends earlier. */
          stops_working_on: isoDate,
        })
        .optional(),
      redirect_to: z.string().optional(),
    }),
    errors: [
      'EXCHANGE_TOKEN_INVALID',
      'ATPROTO_DISABLED',
      'ACCOUNT_DISABLED',
      'TOO_MANY_ACCOUNTS',
      'TOO_MANY_ACTIVE',
      'DID_TAKEN',
      'INSECURE_TRANSPORT',
    ],
  }),

  switchAccount: endpoint({
    method: 'POST',
    path: '/api/auth/switch-account',
    summary: 'Hand this browser over to another account that is signed in in it',
    auth: 'browser',
    scope: 'open',
    limit: 'none',
    body: z
      .strictObject({ target_did: text().max(300).optional(), target_user_id: userId.optional() })
      .refine((body) => (body.target_did === undefined) !== (body.target_user_id === undefined), 'either DID or id'),
    output: account,
    errors: ['SWITCH_TARGET_INVALID'],
  }),

  logoutAll: endpoint({
    method: 'POST',
    path: '/api/auth/logout-all',
    summary: 'Sign out every account of this browser',
    auth: 'browser',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({ ended: z.int() }),
    errors: [],
  }),

  startAddAccount: endpoint({
    method: 'POST',
    path: '/api/auth/add-account/start',
    summary: 'Sign in with a further ATProto account in this browser',
    auth: 'browser',
    limit: 'address',
    body: z.strictObject({ handle: typedHandle }),
    output: authorization,
    errors: ['TOO_MANY_ACCOUNTS', 'ACCOUNT_ALREADY_LINKED', 'ACCOUNT_NOT_LINKED', ...CANNOT_BEGIN],
  }),

  startLinkAccount: endpoint({
    method: 'POST',
    path: '/api/auth/link-account/start',
    summary: 'Let an ATProto account sign in to the own account from now on',
    auth: 'browser',
    fresh: true,
    limit: 'address',
    body: z.strictObject({ handle: typedHandle }),
    output: authorization,
    errors: ['DID_TAKEN', 'ACCOUNT_ALREADY_LINKED', ...CANNOT_BEGIN],
  }),

  unlinkAccount: endpoint({
    method: 'DELETE',
    path: '/api/auth/link-account',
    summary: 'Take the ATProto account off the own account; the sessions that it began end, all but this one',
    auth: 'browser',
    fresh: true,
    limit: 'none',
    output: empty,
    errors: ['GRANT_ABSENT', 'LAST_WAY_IN'],
  }),
}
