import type { Factor } from '../../api/schemas.ts'
import type { AuthSource, NewSession, Storage, UserRecord } from '../storage/port.ts'
import type { Attempts, Refusal, TryOutcome } from './attempts.ts'
import type { RecordEvent } from './events.ts'
import type { MemorySecret } from './memory-secret.ts'
import { hashSecret, type Random } from './one-time-secret.ts'
import type { PasswordHasher } from './password-hashing.ts'
import type { Actor, IssuedSession, Origin, Sessions } from './sessions.ts'
import type { Settings } from '../../api/settings.ts'
import { hasExpired } from './gate.ts'
import { isAllowedRedirect } from './redirects.ts'
import { roomInGroup } from './session-group.ts'
import type { SecondFactor } from './totp.ts'
import { isTrustedBrowser } from './trusted-browser.ts'

export interface SignInDeps {
  storage: Storage
  sessions: Sessions
  attempts: Attempts
  passwords: PasswordHasher
  secondFactor: SecondFactor
  startupToken: MemorySecret
  clock: () => number
  random: Random
  settings: () => Settings
}

export interface SignedIn {
  user: UserRecord
  issued: IssuedSession
  is_temporary: boolean
  password_upgrade_required: boolean
  redirect_to?: string | undefined
}

export type SignInRefusal =
  | 'INCORRECT_CREDENTIALS'
  | 'TEMPORARY_TOKEN_INVALID'
  | 'LOGIN_TOKEN_INVALID'
  | 'TOTP_REQUIRED'
  | 'TOTP_CODE_WRONG'
  | 'TEMP_PASSWORD_EXPIRED'
  | 'ACCOUNT_DISABLED'
  | 'TOO_MANY_ACCOUNTS'

/** What every way of signing in needs to know about the request. */
export interface SignInContext {
  from: Origin
  record: RecordEvent
  /** The session this browser holds already, if any: it ends, or with `add_account` becomes one of a group. */
  current: Actor | undefined
}

export interface PasswordForm {
  username: string
  password: string
  code?: string | undefined
  add_account?: boolean | undefined
  /** The secret of this browser's trust, from its cookie. */
  device_secret?: string | undefined
}

export interface LoginTokenForm {
  login_token: string
  /** The secret of this browser's trust, from its cookie. */
  device_secret?: string | undefined
}

type Result = SignedIn | SignInRefusal

export interface SignIn {
  withPassword(form: PasswordForm, context: SignInContext): Promise<Result | Refusal>
  withStartupToken(secret: string, context: SignInContext): Promise<Result>
  withLoginToken(form: LoginTokenForm, context: SignInContext): Promise<Result>
}

interface BeginOptions {
  add_account?: boolean
  /** Stores the session, if what was proved still holds. Absent: whatever was proved. */
  store?: (row: NewSession) => Promise<boolean>
}

export function createSignIn(deps: SignInDeps): SignIn {
  const { storage, sessions, attempts, passwords, secondFactor, startupToken, clock, settings } = deps

  async function tryPassword(form: PasswordForm, context: SignInContext): Promise<TryOutcome<Result>> {
    const { user, matches } = await prove(form)
    if (!user || !matches) return refuse('failed', 'INCORRECT_CREDENTIALS', 'password', context, user)
    if (!user.enabled) return refuse('open', 'ACCOUNT_DISABLED', 'password', context, user)
    const factor = await secondFactorOf(user, form)
    if (factor === 'recovery') context.record({ event: 'recovery_code_used', user_id: user.user_id })
    if (factor === 'TOTP_REQUIRED') return refuse('open', factor, 'password', context, user)
    if (factor === 'TOTP_CODE_WRONG') return refuse('failed', factor, 'password', context, user)
    if (hasExpired(user, clock())) return refuse('open', 'TEMP_PASSWORD_EXPIRED', 'password', context, user)

    const proved_hash = user.password_hash ?? undefined
    const begun = await begin(user, { auth_source: 'password', amr: factor ? ['pwd', factor] : ['pwd'] }, context, {
      add_account: form.add_account === true,
      store: (row) => storage.sessions.create(row, proved_hash),
    })
    if (begun === undefined) return refuse('open', 'INCORRECT_CREDENTIALS', 'password', context, user)
    if (begun === 'TOO_MANY_ACCOUNTS') return refuse('open', begun, 'password', context, user)
    const tooShort = [...form.password].length < settings().min_password_length
    return { outcome: 'succeeded', value: { ...begun, password_upgrade_required: tooShort } }
  }

  /** The factor beside the password: undefined when the account has none. */
  async function secondFactorOf(
    user: UserRecord,
    form: PasswordForm,
  ): Promise<Factor | undefined | 'TOTP_REQUIRED' | 'TOTP_CODE_WRONG'> {
    if (user.totp_confirmed_at === null) return undefined
    if (form.code !== undefined) return (await secondFactor.redeem(user, form.code)) ?? 'TOTP_CODE_WRONG'
    return (await isTrustedBrowser(deps, user, form.device_secret)) ? 'device' : 'TOTP_REQUIRED'
  }

  /** Whose password this is. A weaker or imported hash is replaced; then the one that now stands is the one proved. */
  async function prove(form: PasswordForm): Promise<{ user: UserRecord | undefined; matches: boolean }> {
    const user = await storage.users.findByName(form.username)
    const { matches, upgrade } = await passwords.verify(form.password, user?.password_hash ?? null)
    if (!user || !upgrade) return { user, matches }
    const stronger = await passwords.hash(form.password)
    await storage.users.upgradeHash(user.user_id, user.password_hash ?? '', stronger)
    const now = await storage.users.find(user.user_id)
    return now?.password_hash === stronger ? { user: now, matches } : prove(form)
  }

  /** Begins the session; undefined when it could not be stored, because the account changed between proof and beginning. */
  async function begin(
    user: UserRecord,
    how: { auth_source: AuthSource; amr: Factor[] },
    context: SignInContext,
    { add_account = false, store = (row) => storage.sessions.create(row) }: BeginOptions = {},
  ): Promise<SignedIn | 'TOO_MANY_ACCOUNTS' | undefined> {
    const joined = add_account && context.current ? await groupFor(user, context.current) : null
    if (joined === 'TOO_MANY_ACCOUNTS') return joined
    const { row, issued } = sessions.compose(user, { ...how, group_id: joined }, context.from)
    if (!(await store(row))) return undefined
    if (context.current && joined === null) await endReplaced(context.current)
    context.record({ event: 'sign_in', user_id: user.user_id, auth_source: how.auth_source, amr: how.amr })
    return { user, issued, is_temporary: row.kind === 'temporary', password_upgrade_required: false }
  }

  /** The group that the new account joins; an earlier session of the same account in it makes room. */
  async function groupFor(user: UserRecord, current: Actor): Promise<string | null | 'TOO_MANY_ACCOUNTS'> {
    if (current.session.group_id === null && current.user.user_id === user.user_id) return null
    const room = await roomInGroup(deps, user, current)
    if (room === 'full') return 'TOO_MANY_ACCOUNTS'
    await storage.sessions.joinGroup(current.session.session_id, room.group_id)
    for (const session_id of room.ends) await storage.sessions.revoke(session_id, user.user_id, clock())
    return room.group_id
  }

  async function endReplaced(current: Actor): Promise<void> {
    await storage.sessions.revoke(current.session.session_id, current.user.user_id, clock())
  }

  const redeeming = new Map<string, Promise<void>>()

  /** Redeems the token with this hash. */
  async function redeem(
    secret_hash: string,
    device_secret: string | undefined,
    context: SignInContext,
  ): Promise<Result> {
    const shown = await storage.loginTokens.show(secret_hash, clock())
    if (!shown) return refuse('failed', 'LOGIN_TOKEN_INVALID', 'login_token', context).value
    const { token, login_user: user } = shown
    const trusted = await isTrustedBrowser(deps, user, device_secret)
    const begun = await begin(
      user,
      { auth_source: 'login_token', amr: trusted ? ['link', 'device'] : ['link'] },
      context,
      {
        store: async (row) => (await storage.loginTokens.consume(secret_hash, row)) !== undefined,
      },
    )
    // Somebody else was quicker, or it was revoked meanwhile.
    if (begun === undefined || typeof begun === 'string') {
      return refuse('failed', 'LOGIN_TOKEN_INVALID', 'login_token', context, user).value
    }
    context.record({ event: 'login_token_used', user_id: user.user_id, made_by: token.user_id, uuid: token.uuid })
    const { redirect_to } = token
    // Judged again: the list may have changed since the token was made.
    if (redirect_to === null || !isAllowedRedirect(redirect_to, settings().redirect_origins)) return begun
    return { ...begun, redirect_to }
  }

  return {
    async withPassword(form, context) {
      const { username } = form
      const exempt = async () => context.from.loopback && (await isLastSuperuser(storage, username))
      const result = await attempts.attempt({ from: context.from, username, exempt }, () => tryPassword(form, context))
      if (isRefusal(result)) {
        const user = await storage.users.findByName(username)
        context.record({ event: 'limited', scope: 'name', ...(user ? { user_id: user.user_id } : {}) })
      }
      return result
    },

    async withStartupToken(secret, context) {
      const user = startupToken.matches(secret) ? (await storage.users.superusers(1))[0] : undefined
      // The redemption is one synchronous step, after the last wait and before the first write.
      if (!user || !startupToken.redeem(secret)) {
        return refuse('failed', 'TEMPORARY_TOKEN_INVALID', 'startup_token', context).value
      }
      const begun = await begin(user, { auth_source: 'startup_token', amr: ['startup'] }, context)
      if (begun === undefined || typeof begun === 'string') {
        return refuse('failed', 'TEMPORARY_TOKEN_INVALID', 'startup_token', context, user).value
      }
      await attempts.clearAccount(user.username)
      return begun
    },

    async withLoginToken({ login_token, device_secret }, context) {
      const secret_hash = hashSecret(login_token)
      // Tries of one token come one after another: storage decides which wins, but the others need not crowd it.
      const before = redeeming.get(secret_hash) ?? Promise.resolve()
      const mine = before.then(() => redeem(secret_hash, device_secret, context))
      const settled = mine.then(noop, noop)
      redeeming.set(secret_hash, settled)
      try {
        return await mine
      } finally {
        if (redeeming.get(secret_hash) === settled) redeeming.delete(secret_hash)
      }
    },
  }
}

function noop(): void {}

function refuse(
  outcome: 'failed' | 'open',
  value: SignInRefusal,
  auth_source: AuthSource,
  context: SignInContext,
  user?: UserRecord,
): { outcome: 'failed' | 'open'; value: SignInRefusal } {
  context.record({ event: 'sign_in_refused', ...(user ? { user_id: user.user_id } : {}), auth_source, reason: value })
  return { outcome, value }
}

async function isLastSuperuser(storage: Storage, username: string): Promise<boolean> {
  const [only, another] = await storage.users.superusers(2)
  return only?.username === username && another === undefined
}

export function namesOf(user: Pick<UserRecord, 'username' | 'email' | 'display_name'>): (string | null | undefined)[] {
  return [user.username, user.email?.split('@')[0], user.display_name]
}

export function isRefusal(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'retry_after' in value
}
