import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import {
  did,
  page,
  displayName,
  email,
  empty,
  expiresHours,
  isoDate,
  language,
  pageQuery,
  permission,
  secondFactorCode,
  temporaryPassword,
  text,
  typedPassword,
  userId,
  username,
} from './schemas.ts'

/** A user as others may see it: never a hash, never a secret. */
export const user = z.object({
  user_id: userId,
  username: z.string(),
  email: z.string().nullable(),
  display_name: z.string().nullable(),
  superuser: z.boolean(),
  permissions: z.array(permission),
  manager_id: userId.nullable(),
  enabled: z.boolean(),
  lang: language.nullable(),
  require_password_change: z.boolean(),
  password_expires: isoDate.nullable(),
  has_password: z.boolean(),
  totp_enabled: z.boolean(),
  did: z.string().nullable(),
  handle: z.string().nullable(),
  avatar_url: z.string().nullable(),
  created_at: isoDate,
  last_sign_in_at: isoDate.nullable(),
})
export type User = z.output<typeof user>

/** One's own record: with what only the person itself needs to know. */
const ownUser = user.extend({ recovery_codes_left: z.int() })

const USER_STATES = ['enabled', 'disabled', 'temporary_password', 'superuser'] as const
const USER_SORTS = [
  'username',
  '-username',
  'created_at',
  '-created_at',
  'last_sign_in_at',
  '-last_sign_in_at',
] as const

/** The user whom an address names. */
export const byId = z.object({
  id: z
    .string()
    .regex(/^[1-9]\d{0,9}$/)
    .transform(Number)
    .pipe(userId),
})

/** The fields that an administrator sets, and of which a person may set some of its own. */
const editable = {
  username: username.optional(),
  email: email.nullable().optional(),
  display_name: displayName.nullable().optional(),
  lang: language.nullable().optional(),
}

const administered = {
  superuser: z.boolean().optional(),
  permissions: z.array(permission).max(16).optional(),
  manager_id: userId.nullable().optional(),
  enabled: z.boolean().optional(),
  /** The ATProto account that signs this user in. */
  did: did.nullable().optional(),
}

/** People: administration of users, and one's own record. */
export const users = {
  list: endpoint({
    method: 'GET',
    path: '/api/v2/users',
    summary: 'Users that the caller may administer',
    auth: 'USER_CONFIG',
    limit: 'none',
    query: z.strictObject({
      ...pageQuery,
      /** Part of a name, mail address or handle. */
      q: text().trim().max(100).optional(),
      state: z.enum(USER_STATES).optional(),
      sort: z.enum(USER_SORTS).optional(),
    }),
    /**
     * `total` is exact for the list of everybody. Of a search or filter the counting may stop at a round number: then
     * `total_exact` is false, and there are more than `total`.
     */
    output: page(user),
    errors: [],
  }),

  create: endpoint({
    method: 'POST',
    path: '/api/v2/users',
    summary: 'Create a user',
    auth: 'USER_CONFIG',
    limit: 'none',
    body: z.strictObject({
      ...editable,
      ...administered,
      username,
      /** Absent: the user can only come in by login token. */
      password: temporaryPassword.optional(),
      require_password_change: z.boolean().optional(),
      expires_hours: expiresHours.optional(),
    }),
    output: z.object({ user_id: userId }),
    status: 201,
    errors: [
      'USERNAME_TAKEN',
      'EMAIL_TAKEN',
      'DID_TAKEN',
      'MANAGER_INVALID',
      'PASSWORD_UNACCEPTABLE',
      'INVALID_FIELD_MODIFY',
      'OVERLOADED',
    ],
  }),

  /** Before `:id`, which would take `@me` for a number that is none. */
  readMe: endpoint({
    method: 'GET',
    path: '/api/v2/users/@me',
    summary: 'Own record',
    auth: 'session',
    limit: 'none',
    output: ownUser,
    errors: [],
  }),

  editMe: endpoint({
    method: 'PATCH',
    path: '/api/v2/users/@me',
    summary: 'Edit own record, or choose the new password that the gate waits for',
    auth: 'browser',
    gate: 'password',
    limit: 'credential',
    body: z.strictObject({
      ...editable,
      /** The NEW password. */
      password: typedPassword.optional(),
      /** Asked unless the gate holds the caller or the session is temporary. */
      current_password: typedPassword.optional(),
      /** Confirms the enrolment that `totp/setup` began, in the same step. */
      totp_code: secondFactorCode.optional(),
      /** Nobody lets himself out: refused with INVALID_FIELD_MODIFY, here so that the refusal has its own name. */
      require_password_change: z.unknown().optional(),
      superuser: z.unknown().optional(),
      permissions: z.unknown().optional(),
      manager_id: z.unknown().optional(),
      enabled: z.unknown().optional(),
    }),
    output: ownUser.extend({
      token: z.string(),
      /** Shown once, where `totp_code` confirmed an enrolment. */
      recovery_codes: z.array(z.string()).optional(),
    }),
    errors: [
      'CURRENT_PASSWORD_WRONG',
      'PASSWORD_UNACCEPTABLE',
      'PASSWORD_UNCHANGED',
      'USERNAME_TAKEN',
      'EMAIL_TAKEN',
      'DID_TAKEN',
      'INVALID_FIELD_MODIFY',
      'TEMP_PASSWORD_EXPIRED',
      'TOTP_CODE_WRONG',
      'TOTP_ALREADY_ENABLED',
      'TOTP_NOT_ENABLED',
      'OVERLOADED',
    ],
  }),

  read: endpoint({
    method: 'GET',
    path: '/api/v2/users/:id',
    summary: 'One user',
    auth: 'session',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId,
    output: user,
    errors: ['USER_NOT_FOUND'],
  }),

  edit: endpoint({
    method: 'PATCH',
    path: '/api/v2/users/:id',
    summary: 'Edit a user',
    auth: 'browser',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId,
    body: z.strictObject({ ...editable, ...administered }),
    output: user,
    errors: [
      'USER_NOT_FOUND',
      'USERNAME_TAKEN',
      'EMAIL_TAKEN',
      'DID_TAKEN',
      'MANAGER_INVALID',
      'INVALID_FIELD_MODIFY',
      'ADMIN_NETWORK',
      'LAST_SUPERUSER',
      'LAST_WAY_IN',
    ],
  }),

  remove: endpoint({
    method: 'DELETE',
    path: '/api/v2/users/:id',
    summary: 'Delete a user; everything that lets him in ends',
    auth: 'browser',
    limit: 'none',
    target: { self: 'allowed' },
    params: byId,
    output: empty,
    errors: ['USER_NOT_FOUND', 'LAST_SUPERUSER', 'LAST_WAY_IN'],
  }),

  invalidateTokens: endpoint({
    method: 'POST',
    path: '/api/v2/auth/invalidate_tokens',
    summary: 'End every session of the caller, this one too',
    auth: 'session',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: empty,
    errors: [],
  }),
}
