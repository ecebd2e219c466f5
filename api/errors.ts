/**
 * Every error code that can reach a client, with its HTTP status. A code names the fact, not the remedy;
 * its text in each language stands in `texts/`. Adding a code here makes a missing text a type error.
 */
export const ERROR_STATUS = {
  // the request itself
  INVALID_JSON: 400,
  INVALID_JSON_SCHEMA: 400,
  INVALID_QUERY: 400,
  UNSUPPORTED_MEDIA_TYPE: 415,
  PAYLOAD_TOO_LARGE: 413,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  BAD_ORIGIN: 403,
  INSECURE_TRANSPORT: 403,
  // the caller
  UNAUTHENTICATED: 401,
  SESSION_EXPIRED: 401,
  ACCOUNT_DISABLED: 403,
  PASSWORD_CHANGE_REQUIRED: 403,
  MFA_ENROLMENT_REQUIRED: 403,
  SECOND_FACTOR_REQUIRED: 403,
  SCOPE_UPGRADE_REQUIRED: 403,
  ACCESS_DENIED: 403,
  REAUTH_REQUIRED: 403,
  ADMIN_NETWORK: 403,
  TOO_MANY_ATTEMPTS: 429,
  // signing in
  SETUP_NOT_REQUIRED: 409,
  SETUP_TOKEN_INVALID: 401,
  INCORRECT_CREDENTIALS: 401,
  TEMPORARY_TOKEN_INVALID: 401,
  LOGIN_TOKEN_INVALID: 401,
  TOTP_REQUIRED: 401,
  TEMP_PASSWORD_EXPIRED: 401,
  TOO_MANY_ACCOUNTS: 409,
  SWITCH_TARGET_INVALID: 400,
  // ATProto accounts
  START_PARAMETERS: 400,
  ATPROTO_DISABLED: 403,
  ACCOUNT_CREATION_DISABLED: 403,
  PDS_NOT_OFFERED: 400,
  HANDLE_UNRESOLVED: 400,
  PROVIDER_UNREACHABLE: 502,
  FLOW_INVALID: 400,
  FLOW_EXPIRED: 400,
  FLOW_FOREIGN_BROWSER: 403,
  FLOW_DENIED: 403,
  FLOW_REJECTED: 403,
  FLOW_USER_MISMATCH: 403,
  SCOPE_NOT_GRANTED: 403,
  ACCOUNT_NOT_LINKED: 403,
  ACCOUNT_ALREADY_LINKED: 409,
  DID_TAKEN: 409,
  EXCHANGE_TOKEN_INVALID: 401,
  GRANT_ABSENT: 404,
  LAST_WAY_IN: 409,
  PAIRING_REQUIRED: 403,
  PAIRING_ELSEWHERE: 403,
  PAIRING_CODE_INVALID: 404,
  // passwords and second factors
  PASSWORDS_DIFFER: 400,
  PASSWORD_UNACCEPTABLE: 400,
  PASSWORD_UNCHANGED: 400,
  CURRENT_PASSWORD_WRONG: 403,
  TOTP_CODE_WRONG: 401,
  TOTP_ALREADY_ENABLED: 409,
  TOTP_NOT_ENABLED: 409,
  // people
  USER_NOT_FOUND: 404,
  USERNAME_TAKEN: 409,
  EMAIL_TAKEN: 409,
  MANAGER_INVALID: 400,
  INVALID_FIELD_MODIFY: 400,
  LAST_SUPERUSER: 409,
  SELF_RESET: 400,
  SESSION_NOT_FOUND: 404,
  DEVICE_NOT_FOUND: 404,
  TOKEN_NOT_FOUND: 404,
  TOO_MANY_ACTIVE: 409,
  AMBIGUOUS_PREFIX: 400,
  REDIRECT_NOT_ALLOWED: 400,
  SETTING_UNSOUND: 400,
  ADMIN_NETWORK_SELF: 409,
  // the network
  LAN_OFF: 409,
  LAN_OWN_CERTIFICATE: 409,
  // imports of users
  IMPORT_NOT_FOUND: 404,
  IMPORT_STATE: 409,
  IMPORT_FAULTY: 409,
  IMPORT_TOO_LARGE: 413,
  // the server
  OVERLOADED: 503,
  STORAGE_UNAVAILABLE: 503,
  INTERNAL: 500,
  /** Never sent: the client's own word for "no answer came". */
  UNREACHABLE: 0,
} as const

export type ErrorCode = keyof typeof ERROR_STATUS

/** What `error_data` holds, for the codes that carry any. */
export interface ErrorData {
  INVALID_JSON_SCHEMA: readonly Fault[]
  INVALID_QUERY: readonly Fault[]
  TOO_MANY_ATTEMPTS: { retry_after: number }
  OVERLOADED: { retry_after: number }
  TOTP_REQUIRED: { totp_required: true }
  PASSWORD_UNACCEPTABLE: { reason: PasswordFault }
  /** The setting that does not fit the others. */
  SETTING_UNSOUND: { setting: string }
  LAST_WAY_IN: LastWayIn
}

/** One fault of a request: where it is (dotted path, empty for the whole) and what is wrong, in English. */
export interface Fault {
  path: string
  message: string
}

/**
 * Whose last way in a change would have taken: that of the `person` himself, or that of all `administrators`, of whom none could
 * have come in any more; `others`: the same, told to one who is no superuser, without names. `left`: the ways that are left, and would have gone; none, where no administrator has a proven one yet.
 */
export interface LastWayIn {
  whose: 'person' | 'administrators' | 'others'
  left: readonly { user_id: number; username: string; way: 'password' | 'atproto' }[]
}

/** Why a chosen password is refused. */
export const PASSWORD_FAULTS = ['too_short', 'too_long', 'common', 'contains_name', 'too_weak'] as const
export type PasswordFault = (typeof PASSWORD_FAULTS)[number]

export type DataOf<C extends ErrorCode> = C extends keyof ErrorData ? ErrorData[C] : undefined
