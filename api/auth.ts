import { z } from 'zod'
import { endpoint } from './endpoint.ts'
import {
  AUTH_SOURCES,
  email,
  isoDate,
  oneTimeSecret,
  permission,
  person,
  secondFactorCode,
  typedPassword,
  typedUsername,
  userId,
  username,
} from './schemas.ts'

const signedIn = z.object({
  /** For clients without cookies; the page uses the cookie and ignores it. */
  token: z.string(),
  user_id: userId,
  username: z.string(),
  require_password_change: z.boolean(),
  /** The session may set a new password without the old one: suggest it. */
  change_pwd_hint: z.boolean(),
  /** The password proved is below today's rule: suggest a better one. */
  password_upgrade_required: z.boolean(),
  redirect_to: z.string().optional(),
})

const linkedAccount = z.object({
  user_id: userId,
  username: z.string(),
  did: z.string().nullable(),
  handle: z.string().nullable(),
  avatar_url: z.string().nullable(),
  current: z.boolean(),
  /** Its ATProto grant is gone: it opens nothing until its owner signs in again. */
  needs_sign_in: z.boolean(),
})

const passwordForm = z.strictObject({
  login_type: z.literal('password').optional(),
  username: typedUsername,
  password: typedPassword,
  code: secondFactorCode.optional(),
  trust_device_flag: z.boolean().optional(),
  add_account: z.boolean().optional(),
})

const startupTokenForm = z.strictObject({
  login_type: z.literal('temporary_token'),
  temporary_token: oneTimeSecret,
})

const loginTokenForm = z.strictObject({
  login_type: z.literal('login_token'),
  login_token: oneTimeSecret,
})

/** Signing in and out. */
export const auth = {
  setupStatus: endpoint({
    method: 'GET',
    path: '/api/auth/setup-status',
    summary: 'What the sign-in page needs to know before anybody is signed in',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    output: z.object({
      setup_required: z.boolean(),
      temporary_login_token_enabled: z.boolean(),
      password_upgrade_required: z.boolean(),
      atproto_enabled: z.boolean(),
      /** From this browser, ATProto sign-in needs a pairing: the provider can only send back browsers of this very machine. */
      atproto_pairing: z.boolean(),
      account_creation_enabled: z.boolean(),
      min_password_length: z.int(),
      /** Passwords travel unencrypted between this browser and the server: shown as a red bar. */
      insecure_transport: z.boolean(),
    }),
    errors: [],
  }),

  setup: endpoint({
    method: 'POST',
    path: '/api/auth/setup',
    summary: 'Create the first superuser; works once, for ever',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.strictObject({
      setup_token: oneTimeSecret,
      username,
      password: typedPassword,
      confirm_password: typedPassword,
      email: email.optional(),
    }),
    output: signedIn,
    errors: [
      'SETUP_NOT_REQUIRED',
      'SETUP_TOKEN_INVALID',
      'PASSWORDS_DIFFER',
      'PASSWORD_UNACCEPTABLE',
      'OVERLOADED',
      'INSECURE_TRANSPORT',
    ],
  }),

  login: endpoint({
    method: 'POST',
    path: '/api/auth/login',
    summary: 'Sign in with a password, the startup token or a login token',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.discriminatedUnion('login_type', [passwordForm, startupTokenForm, loginTokenForm]),
    output: signedIn,
    errors: [
      'INCORRECT_CREDENTIALS',
      'TEMPORARY_TOKEN_INVALID',
      'LOGIN_TOKEN_INVALID',
      'TOTP_REQUIRED',
      'TOTP_CODE_WRONG',
      'TEMP_PASSWORD_EXPIRED',
      'ACCOUNT_DISABLED',
      'TOO_MANY_ACCOUNTS',
      'OVERLOADED',
      'INSECURE_TRANSPORT',
    ],
  }),

  showLoginToken: endpoint({
    method: 'POST',
    path: '/api/auth/login-token',
    summary: 'Whom a login token would sign in; does not use it',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'credential',
    body: z.strictObject({ login_token: oneTimeSecret }),
    output: z.object({ login_user: person.omit({ user_id: true }), expires_at: isoDate }),
    errors: ['LOGIN_TOKEN_INVALID', 'INSECURE_TRANSPORT'],
  }),

  logout: endpoint({
    method: 'POST',
    path: '/api/auth/logout',
    summary: 'End this session, or hand over to another account of the group',
    auth: 'public',
    gate: 'open',
    scope: 'open',
    limit: 'none',
    query: z.strictObject({ switch_to: z.string().min(1).max(256).optional() }),
    output: z.object({
      switched_to: z
        .object({ user_id: userId, did: z.string().nullable(), handle: z.string().nullable(), username: z.string() })
        .optional(),
    }),
    errors: ['SWITCH_TARGET_INVALID'],
  }),

  me: endpoint({
    method: 'GET',
    path: '/api/auth/me',
    summary: 'Who is signed in',
    auth: 'session',
    scope: 'open',
    limit: 'none',
    output: z.object({
      user_id: userId,
      username: z.string(),
      did: z.string().nullable(),
      handle: z.string().nullable(),
      avatar_url: z.string().nullable(),
      superuser: z.boolean(),
      permissions: z.array(permission),
      is_temporary: z.boolean(),
      /** What the provider of the ATProto account granted to this session; empty of other sessions. */
      scopes: z.array(z.string()),
      auth_source: z.enum(AUTH_SOURCES),
      /** The grant behind this session is gone or covers too little: only signing in again at the provider helps. */
      scope_upgrade_required: z.boolean(),
      /**
       * Whether he may administer from where he is: `elsewhere`, he holds rights, but the settings name networks, and he is in none of
       * them; `none`, he holds no rights.
       */
      administration: z.enum(['here', 'elsewhere', 'none']),
      /** The address that this request came from, as the server sees it. */
      address: z.string(),
      /** The address of this server to hand on to others, who may be at other machines. */
      share_base: z.string(),
      linked_accounts: z.array(linkedAccount),
    }),
    errors: [],
  }),

  reauth: endpoint({
    method: 'POST',
    path: '/api/auth/reauth',
    summary: 'Prove the password or a second factor again before a risky act',
    auth: 'browser',
    gate: 'proof',
    limit: 'credential',
    body: z
      .strictObject({ password: typedPassword.optional(), code: secondFactorCode.optional() })
      .refine((body) => (body.password === undefined) !== (body.code === undefined), 'either password or code'),
    output: z.object({ token: z.string(), fresh_until: isoDate }),
    errors: ['INCORRECT_CREDENTIALS', 'OVERLOADED'],
  }),

  editAccount: endpoint({
    method: 'POST',
    path: '/api/auth/account/edit',
    summary: 'Change own user name or password; keeps this browser signed in',
    auth: 'browser',
    limit: 'credential',
    body: z.strictObject({
      /** The current one; not asked of a session made by the startup token. */
      password: typedPassword.optional(),
      new_password: typedPassword.optional(),
      confirm_password: typedPassword.optional(),
      new_username: username.optional(),
    }),
    output: signedIn,
    errors: [
      'CURRENT_PASSWORD_WRONG',
      'PASSWORDS_DIFFER',
      'PASSWORD_UNACCEPTABLE',
      'PASSWORD_UNCHANGED',
      'TEMP_PASSWORD_EXPIRED',
      'USERNAME_TAKEN',
      'OVERLOADED',
    ],
  }),
}
