import type { Permission } from '../../api/permissions.ts'
import type { AUTH_SOURCES, Factor, Language, SESSION_KINDS } from '../../api/schemas.ts'
import type { LoginTokenState } from '../../api/login-tokens.ts'
import type { AtprotoStore } from './port/atproto.ts'
import type { AccessStore } from './port/access.ts'
import type { AuditStore } from './port/audit.ts'
import type { UserImportStore } from './port/user-imports.ts'
import type { AdministratorsWays, LastWayIn } from './port/ways-in.ts'

/**
 * What the domain asks of storage, in its own words. One SQL implementation stands behind it, on sql.js and on
 * PostgreSQL, and one conformance suite proves both.
 *
 * For every verb here:
 * - A promise that fulfils is durable: the write survives `kill -9` and power loss.
 * - A promise that rejects changed nothing. It rejects with `StorageWriteError` when the write could not be made
 *   safe (disk full, disk broken), or with the engine's own error when the database cannot be reached.
 * - "Atomic" means one statement or one transaction: of any number of simultaneous callers, in one process or in
 *   several, each sees all of it or nothing.
 * - Times are milliseconds since 1970 UTC and are passed in: storage has no clock and makes no random values.
 */
export interface Storage {
  users: UserStore
  sessions: SessionStore
  recoveryCodes: RecoveryCodeStore
  trustedDevices: TrustedDeviceStore
  loginTokens: LoginTokenStore
  access: AccessStore
  audit: AuditStore
  limits: LimitStore
  settings: SettingStore
  userImports: UserImportStore
  atproto: AtprotoStore
  developerTokens: DeveloperTokenStore
  /**
   * The database as one SQLite file that holds every write acknowledged before the call; it stays as it is until it is released,
   * while others go on. Absent where the database is not ours to copy (PostgreSQL).
   */
  snapshot?: (() => Promise<DatabaseSnapshot>) | undefined
  /**
   * Ends what a backup has brought to life again, since all of it may have ended after the backup was made: sessions, login tokens,
   * trusted browsers, temporary passwords that had an end, and whatever was under way at a provider. Atomic. Answers how many of each.
   */
  afterRestore(at: number, kept: KeptOnRestore): Promise<Record<EndedOnRestore, number>>
  /** Some secrets that were sealed with the vault's key, and what for: whoever has the key can open them. */
  sealed(limit: number): Promise<{ user_id: number; totp_secret: string }[]>
  /**
   * The sealed text by which a server sees that its keys belong to this database; keeps `fresh` as that where there is none yet.
   * Atomic.
   */
  keyCheck(fresh: string): Promise<string>
  /** Whether other servers may work on this database at the same time. */
  shared: boolean
  /** Whether this error of a verb says that the database cannot be reached or written, rather than that we erred. */
  isUnavailable(error: unknown): boolean
  /** Resolves when the database can be read; rejects when it cannot. */
  ping(): Promise<void>
  /** Drains what is under way and lets go of the database. Nothing may be called afterwards. */
  close(): Promise<void>
}

export interface DatabaseSnapshot {
  bytes: number
  /** From its beginning; may be read more than once. */
  read(): AsyncIterable<Buffer>
  release(): void
}

export type EndedOnRestore =
  'sessions' | 'login_tokens' | 'trusted_devices' | 'temporary_passwords' | 'developer_tokens'

/** What a restore leaves as it was. */
export interface KeptOnRestore {
  sessions: boolean
  developer_tokens: boolean
}

export interface UserRecord {
  user_id: number
  username: string
  email: string | null
  display_name: string | null
  superuser: boolean
  permissions: Permission[]
  manager_id: number | null
  enabled: boolean
  lang: Language | null
  /** A PHC string or an imported hash; null: no password, comes in by login token only. */
  password_hash: string | null
  /** The password gate holds this user until he has chosen a password of his own. */
  require_password_change: boolean
  /** End of the temporary password; null: none. */
  password_expires: number | null
  /** Sealed TOTP secret. Counts as a second factor only once `totp_confirmed_at` is set. */
  totp_secret: string | null
  totp_confirmed_at: number | null
  did: string | null
  handle: string | null
  avatar_url: string | null
  created_at: number
  last_sign_in_at: number | null
}

export type NewUser = Omit<UserRecord, 'user_id' | 'last_sign_in_at' | 'totp_secret' | 'totp_confirmed_at'> & {
  /** Who set the password, where that was somebody else. */
  password_set_by?: number | undefined
}

/** The fields that an edit may touch; passwords and second factors have verbs of their own. */
export type UserEdit = Partial<
  Pick<
    UserRecord,
    'username' | 'email' | 'display_name' | 'superuser' | 'permissions' | 'manager_id' | 'enabled' | 'lang' | 'did'
  >
>

export type UserConflict = 'USERNAME_TAKEN' | 'EMAIL_TAKEN' | 'DID_TAKEN'

export interface UserQuery {
  /** Part of user name, display name, mail address or handle, in any case. */
  q?: string | undefined
  state?: 'enabled' | 'disabled' | 'temporary_password' | 'superuser' | undefined
  /** Only users managed by this one. */
  managed_by?: number | undefined
  sort: 'username' | '-username' | 'created_at' | '-created_at' | 'last_sign_in_at' | '-last_sign_in_at'
  /** 1 to 200. */
  limit: number
  /** The last row of the page before: its sort value and id. */
  after?: { value: string | number; user_id: number } | undefined
}

export interface NewPassword {
  password_hash: string
  /** Set it only while this hash still stands (null: none): a change that raced another loses. */
  instead_of?: string | null | undefined
  require_password_change: boolean
  password_expires: number | null
  /**
   * Who sets it. Absent: the user himself, so it is proven at once. `machine`: whoever owns the machine, who holds the new
   * password in his hands, so that no last way in stands against him.
   */
  by?: number | 'machine' | undefined
  at: number
  /** Ends the user's developer tokens too. Absent: they are kept. */
  revoke_developer_tokens?: boolean | undefined
  /** Every session of the user ends; the one that `replacement` describes begins in the same transaction. */
  replacement?: NewSession | undefined
}

export interface UserStore {
  find(user_id: number): Promise<UserRecord | undefined>
  findByName(username: string): Promise<UserRecord | undefined>
  /** Of an address in lower case. */
  findByEmail(email: string): Promise<UserRecord | undefined>
  findByDid(did: string): Promise<UserRecord | undefined>
  /** Enabled superusers, the lowest id first: the first is whom the startup token signs in. */
  superusers(limit: number): Promise<UserRecord[]>
  /** Enabled superusers, the lowest id first, with their proven ways in. */
  waysIn(at: number, limit: number): Promise<AdministratorsWays[]>
  /** Whether the first superuser was ever created. Stays true for ever. */
  isSetUp(): Promise<boolean>
  /**
   * One page of the users that the query selects, in its order. `total` is exact for the list of everybody. Of a search or
   * filter it may stop at a number that the engine sets (1,000 at the least): `total_exact` is false then, and there are more.
   */
  list(query: UserQuery): Promise<{ items: UserRecord[]; total: number; total_exact: boolean }>
  create(user: NewUser): Promise<{ user_id: number } | UserConflict>
  /**
   * Creates the first superuser. Atomic: of any number of tries exactly one gets an id, for ever; the others get
   * `already`.
   */
  createFirst(user: NewUser): Promise<{ user_id: number } | 'already'>
  /**
   * Atomic with its consequences: disabling ends the user's sessions and developer tokens and voids the login tokens that
   * sign him in or that he made; another `did`, or none, ends the sessions and developer tokens that ATProto began, and the
   * handle is unknown until the next such sign-in. `LAST_SUPERUSER`: refused because no enabled superuser would be left; `LastWayIn`: because
   * none would have a proven way in; however many such changes race.
   */
  edit(
    user_id: number,
    edit: UserEdit,
    at: number,
  ): Promise<'done' | 'absent' | 'LAST_SUPERUSER' | LastWayIn | UserConflict>
  /**
   * Deletes the user and, in the same transaction, everything that lets him in; those he managed have no manager
   * then. Refused as by `edit`.
   */
  remove(user_id: number, at: number): Promise<'done' | 'absent' | 'LAST_SUPERUSER' | LastWayIn>
  /**
   * Sets the password and both gate columns. Atomic with its consequences: all browser sessions end, trusted
   * devices are forgotten, unused login tokens are void. False: no such user, or another hash than `instead_of`. Set by another user, it is refused as by
   * `edit`, because nobody has come in by the new one yet.
   */
  setPassword(user_id: number, password: NewPassword): Promise<boolean | LastWayIn>
  /** Takes the ATProto account off, and ends the sessions that it began, but the one named, and its developer tokens. False: there was none. Refused as by `edit`. */
  unlinkDid(user_id: number, at: number, except: string): Promise<boolean | LastWayIn>
  /** Notes what the ATProto account is called now. */
  setHandle(user_id: number, handle: string | null): Promise<void>
  /** Replaces a hash by a stronger one of the same password, only while the old one still stands. */
  upgradeHash(user_id: number, from: string, to: string): Promise<void>
  /** Begins an enrolment; replaces one that was never confirmed. False: a confirmed one stands. */
  beginTotp(user_id: number, totp_secret: string): Promise<boolean>
  /** Confirms the enrolment and stores the recovery codes (hashed). Atomic. False: none begun, or confirmed before. */
  confirmTotp(user_id: number, recovery_hashes: string[], step: number, at: number): Promise<boolean>
  /** Removes secret, recovery codes and trusted devices. False: there was none. */
  removeTotp(user_id: number): Promise<boolean>
  /** Accepts a TOTP time step once: true only if it is later than every step accepted before. Atomic. */
  consumeTotpStep(user_id: number, step: number): Promise<boolean>
}

export type SessionKind = (typeof SESSION_KINDS)[number]
export type AuthSource = (typeof AUTH_SOURCES)[number]

export interface SessionRecord {
  /** Public name of the session, as lists show it. */
  session_id: string
  user_id: number
  kind: SessionKind
  auth_source: AuthSource
  amr: Factor[]
  group_id: string | null
  created_at: number
  last_seen_at: number
  /** Last proof of a password or code. */
  authenticated_at: number
  expires_at: number
  ip: string
  user_agent: string
  revoked_at: number | null
  /** What the grant behind it covers, with spaces between, empty once the grant is dead; null: not of ATProto. */
  scope: string | null
  /** Of a developer token: its eight public characters, and what its owner calls it. */
  prefix: string | null
  name: string | null
}

export interface NewSession extends Omit<SessionRecord, 'last_seen_at' | 'revoked_at' | 'scope' | 'prefix' | 'name'> {
  scope?: string | undefined
  prefix?: string | undefined
  name?: string | null | undefined
  /** SHA-256 of the secret that the cookie carries. */
  secret_hash: string
  /** The login token that begins it. */
  login_token?: string | undefined
}

export interface SessionStore {
  /**
   * Begins a session and notes the sign-in. Atomic with its conditions: the user is still there and enabled, and his
   * password hash is still the one that was proved, if one was. Else false, and nothing is stored: a sign-in that
   * raced a password change or a disabling loses. The password that was proved is a proven way in from then on.
   */
  create(session: NewSession, proved_hash?: string): Promise<boolean>
  /**
   * The session with this secret and its user, dead or alive; undefined when there is none. The hot path: called
   * on every authenticated request, so synchronous where the engine allows.
   */
  findBySecret(secret_hash: string): MaybePromise<{ session: SessionRecord; user: UserRecord } | undefined>
  /** Live sessions of a user, the newest use first. */
  listLive(user_id: number, now: number, idle_since: number): Promise<SessionRecord[]>
  /** Live sessions of a group, the oldest first. */
  listGroup(group_id: string, now: number, idle_since: number): Promise<SessionRecord[]>
  touch(session_id: string, at: number): Promise<void>
  /** Puts a session without a group into one. */
  joinGroup(session_id: string, group_id: string): Promise<void>
  /**
   * A new secret for a live session; the old one ends. Atomic with what was proved, if anything: the factor joins `amr`, and
   * `authenticated_at` moves. A second factor proves the ATProto account that began the session, too. False: not live.
   */
  rotate(session_id: string, secret_hash: string, now: number, proved?: Factor): Promise<boolean>
  /** A factor that was proved joins the session's `amr`. Atomic. */
  addFactor(session_id: string, factor: Factor): Promise<void>
  /** Ends one session of this user. False: none such, or ended before. */
  revoke(session_id: string, user_id: number, at: number): Promise<boolean>
  /** Ends every session of a group; answers how many. */
  revokeGroup(group_id: string, at: number): Promise<number>
  /** Ends the user's browser sessions, all but one if named. Answers how many. */
  revokeAll(user_id: number, at: number, except?: string): Promise<number>
  /** Ends the user's sessions and voids the unused login tokens that sign him in. Atomic. */
  revokeEverything(user_id: number, at: number): Promise<void>
  /** Forgets sessions that ended before this time. */
  sweep(before: number): Promise<void>
}

export interface DeveloperTokenStore {
  /**
   * Makes a developer token: a session of that kind, with a prefix. Atomic with its conditions: the user is enabled and has fewer than `most`
   * that have not ended. False: he is not, or has as many.
   */
  create(token: NewSession, most: number): Promise<boolean>
  count(user_id: number, now: number): Promise<number>
  /** Those of a user that have not ended, the newest first. */
  list(user_id: number, now: number): Promise<SessionRecord[]>
}

export interface RecoveryCodeStore {
  count(user_id: number): Promise<number>
  replace(user_id: number, hashes: string[]): Promise<void>
  /** Uses a code up. Atomic: true for exactly one of any number of tries. */
  consume(user_id: number, hash: string): Promise<boolean>
}

export interface TrustedDevice {
  device_id: string
  user_id: number
  secret_hash: string
  created_at: number
  last_used_at: number
  expires_at: number
  ip: string
  user_agent: string
}

export interface TrustedDeviceStore {
  create(device: TrustedDevice): Promise<void>
  /** True, and its last use is noted, when this user trusts a device with this secret that has not expired. */
  use(user_id: number, secret_hash: string, now: number): Promise<boolean>
  list(user_id: number, now: number): Promise<TrustedDevice[]>
  remove(device_id: string, user_id: number): Promise<boolean>
}

export interface LoginTokenRecord {
  uuid: string
  /** Who made it. */
  user_id: number
  /** Whom it signs in. */
  login_user_id: number
  reason: string | null
  redirect_to: string | null
  created_at: number
  expires_at: number
  used_at: number | null
  used_ip: string | null
  deleted_at: number | null
}

export type NewLoginToken = Omit<LoginTokenRecord, 'used_at' | 'used_ip' | 'deleted_at'> & { secret_hash: string }

/** The fields of a user that others are told. */
export type PersonRecord = Pick<UserRecord, 'user_id' | 'username' | 'display_name'>

/** A login token and its two people; null once deleted. */
export interface ListedLoginToken {
  token: LoginTokenRecord
  /** Who made it. */
  user: PersonRecord | null
  /** Whom it signs in. */
  login_user: PersonRecord | null
}

export interface LoginTokenQuery {
  /** Absent: in any state. */
  status?: LoginTokenState | undefined
  login_user_id?: number | undefined
  /** Who made them. */
  user_id?: number | undefined
  /** Only those for people whom this user manages and who are no superusers. */
  managed_by?: number | undefined
  /** 1 to 200. */
  limit: number
  /** The last row of the page before: its uuid. */
  after?: string | undefined
  now: number
}

export interface LoginTokenStore {
  /**
   * Stores a login token. Atomic with its condition: fewer than `most` of the person's tokens can still be redeemed
   * when this one is made. False: as many are there already, or no such person; nothing is stored.
   */
  create(token: NewLoginToken, most: number): Promise<boolean>
  /** One login token, whatever its state. */
  find(uuid: string): Promise<ListedLoginToken | undefined>
  /** One page of login tokens, the newest first. `total` stops at 1,000: `total_exact` is false then, and there are more. */
  list(query: LoginTokenQuery): Promise<{ items: ListedLoginToken[]; total: number; total_exact: boolean }>
  /** The token with this secret and whom it would sign in, if `consume` would accept it now. Uses nothing up. */
  show(secret_hash: string, now: number): Promise<{ token: LoginTokenRecord; login_user: UserRecord } | undefined>
  /**
   * Redeems a login token: it is used, the session begins and the sign-in is noted, or none of it. Atomic: of any number of
   * simultaneous tries, in any number of processes, exactly one gets the record. The others get undefined, and so does
   * any try with a token that is used, revoked, expired, unknown or somebody else's than the session's user, or when he
   * is disabled, or when its maker could not make it any more: disabled, gone, or, unless a superuser, without
   * LOGIN_TOKENS or not the manager of the session's user, or that one is a superuser.
   */
  consume(secret_hash: string, session: NewSession): Promise<LoginTokenRecord | undefined>
  /** Revokes a token that is still active. Atomic: true for exactly one of any number of tries. */
  revoke(uuid: string, at: number): Promise<boolean>
}

/** A failure counter. Counts start anew when `window` has passed since the first of them. */
export interface LimitRule {
  /** Failures allowed within the window before the key is blocked. */
  failures: number
  /** Milliseconds; Infinity: the count never ages. */
  window: number
  /** Milliseconds that a block lasts; Infinity: until cleared. */
  block: number
}

export interface LimitStore {
  /** When the block of this key ends (Infinity: only by `clear`); undefined when it is not blocked. */
  blockedUntil(key: string, now: number): Promise<number | undefined>
  /** Counts a failure, atomically, and blocks the key when the rule says so. Answers the end of the block, if any. */
  fail(key: string, rule: LimitRule, now: number): Promise<number | undefined>
  clear(keys: string[]): Promise<void>
  /** Forgets counters whose window and block ended before this time. */
  sweep(before: number): Promise<void>
}

export interface SettingStore {
  /** All stored settings as JSON values by name. */
  all(): Promise<Record<string, unknown>>
  /**
   * Stores these values by their names; the others stay. Atomic. `LastWayIn`: refused, because ATProto sign-in would be switched off
   * and no enabled superuser have a proven way in.
   */
  change(values: Record<string, unknown>, at: number): Promise<'done' | LastWayIn>
}

export type MaybePromise<T> = T | Promise<T>
