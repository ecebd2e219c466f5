import type { LoginTokenState } from '../../api/login-tokens.ts'
import type { Settings } from '../../api/settings.ts'
import type { ListedLoginToken, LoginTokenRecord, Storage, UserRecord } from '../storage/port.ts'
import { isInReach } from './guards.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import { isAllowedRedirect } from './redirects.ts'
import type { Actor } from './sessions.ts'
import { statusOf } from './wire.ts'

/** Unused and unexpired login tokens that one person may have at a time. */
const MOST_ACTIVE = 10

interface LoginTokensDeps {
  storage: Storage
  clock: () => number
  random: Random
  /** A new identifier, version 7: those made later sort later. */
  uuid: () => string
  settings: () => Settings
}

/** Whom a login token is to sign in. */
export type LoginTokenTarget = { login_user_id: number } | { login_user_email: string }

export interface LoginTokenForm {
  /** Seconds. */
  expires_in: number
  reason?: string | undefined
  redirect_to?: string | undefined
}

export interface LoginTokenFilter {
  with_trashed: boolean
  status?: LoginTokenState | undefined
  login_user_id?: number | undefined
  user_id?: number | undefined
  limit: number
  cursor?: string | undefined
}

type MintRefusal = 'USER_NOT_FOUND' | 'REDIRECT_NOT_ALLOWED' | 'TOO_MANY_ACTIVE'

/** A person whom the guards protect from this caller; no number: nobody in particular. */
export interface OutOfReach {
  out_of_reach: number | undefined
}

export interface MintedLoginToken extends ListedLoginToken {
  /** Told once; only its hash is stored. */
  secret: string
}

export interface LoginTokenPage {
  items: ListedLoginToken[]
  /** Where the next page begins, if there is one. */
  next_cursor: string | null
  total: number
  total_exact: boolean
}

/** What administrators do with login tokens. Nobody touches or sees those of people whom the guards protect from him. */
export interface LoginTokens {
  mint(
    actor: Actor,
    target: LoginTokenTarget,
    form: LoginTokenForm,
  ): Promise<MintedLoginToken | MintRefusal | OutOfReach>
  /**
   * By the owner of the machine, who may for everybody. The first superuser stands for him, because a token lives no longer than
   * its maker may make it. `NO_SUPERUSER`: there is none.
   */
  mintHere(target: UserRecord, form: LoginTokenForm): Promise<MintedLoginToken | MintRefusal | 'NO_SUPERUSER'>
  list(actor: Actor, filter: LoginTokenFilter): Promise<LoginTokenPage>
  /** Takes any text for an identifier. */
  read(actor: Actor, uuid: string, with_trashed: boolean): Promise<ListedLoginToken | 'TOKEN_NOT_FOUND' | OutOfReach>
  /** Takes any text for an identifier. Of any number of tries at once exactly one gets the token. */
  revoke(actor: Actor, uuid: string): Promise<ListedLoginToken | 'TOKEN_NOT_FOUND' | OutOfReach>
  /** Whom this secret would sign in now, without using it. */
  show(secret: string): Promise<{ token: LoginTokenRecord; login_user: UserRecord } | undefined>
}

export function createLoginTokens({ storage, clock, random, uuid, settings }: LoginTokensDeps): LoginTokens {
  async function find({ user }: Actor, name: string): Promise<ListedLoginToken | 'TOKEN_NOT_FOUND' | OutOfReach> {
    const found = isUuid(name) ? await storage.loginTokens.find(name) : undefined
    if (!found) return 'TOKEN_NOT_FOUND'
    const { login_user_id } = found.token
    if (user.superuser) return found
    const target = await storage.users.find(login_user_id)
    return target && isInReach(user, target) ? found : { out_of_reach: login_user_id }
  }

  async function mintAs(
    user: UserRecord,
    target: UserRecord,
    { expires_in, reason, redirect_to }: LoginTokenForm,
  ): Promise<MintedLoginToken | MintRefusal> {
    if (redirect_to !== undefined && !isAllowedRedirect(redirect_to, settings().redirect_origins))
      return 'REDIRECT_NOT_ALLOWED'
    const now = clock()
    const secret = createSecret(random)
    const token = {
      uuid: uuid(),
      user_id: user.user_id,
      login_user_id: target.user_id,
      reason: reason || null,
      redirect_to: redirect_to ?? null,
      created_at: now,
      expires_at: now + expires_in * 1000,
    }
    const stored = await storage.loginTokens.create({ ...token, secret_hash: hashSecret(secret) }, MOST_ACTIVE)
    if (!stored) return 'TOO_MANY_ACTIVE'
    return { token: { ...token, used_at: null, used_ip: null, deleted_at: null }, user, login_user: target, secret }
  }

  return {
    async mint({ user, session }, wanted, form) {
      // The startup token lets somebody back in; it does not hand the way in to others.
      if (session.kind !== 'browser') return { out_of_reach: undefined }
      const target = await findTarget(storage, wanted)
      if (!target) return 'USER_NOT_FOUND'
      if (!isInReach(user, target)) return { out_of_reach: target.user_id }
      return mintAs(user, target, form)
    },

    async mintHere(target, form) {
      const [superuser] = await storage.users.superusers(1)
      return superuser ? mintAs(superuser, target, form) : 'NO_SUPERUSER'
    },

    async list({ user }, { with_trashed, status, login_user_id, user_id, limit, cursor }) {
      const { items, total, total_exact } = await storage.loginTokens.list({
        status: status ?? (with_trashed ? undefined : 'active'),
        login_user_id,
        user_id,
        managed_by: user.superuser ? undefined : user.user_id,
        limit: limit + 1,
        after: cursor === undefined ? undefined : uuidOfCursor(cursor),
        now: clock(),
      })
      const shown = items.slice(0, limit)
      const last = shown.at(-1)
      return {
        items: shown,
        next_cursor: items.length > limit && last ? cursorOf(last) : null,
        total,
        total_exact,
      }
    },

    async read(actor, name, with_trashed) {
      const found = await find(actor, name)
      if (typeof found === 'string' || 'out_of_reach' in found) return found
      return with_trashed || statusOf(found.token, clock()) === 'active' ? found : 'TOKEN_NOT_FOUND'
    },

    async revoke(actor, name) {
      const found = await find(actor, name)
      if (typeof found === 'string' || 'out_of_reach' in found) return found
      const deleted_at = clock()
      if (!(await storage.loginTokens.revoke(found.token.uuid, deleted_at))) return 'TOKEN_NOT_FOUND'
      return { ...found, token: { ...found.token, deleted_at } }
    },

    show: (secret) => storage.loginTokens.show(hashSecret(secret), clock()),
  }
}

function findTarget(storage: Storage, wanted: LoginTokenTarget): Promise<UserRecord | undefined> {
  return 'login_user_id' in wanted
    ? storage.users.find(wanted.login_user_id)
    : storage.users.findByEmail(wanted.login_user_email)
}

/** Where a page ends. Opaque to clients. */
function cursorOf({ token }: ListedLoginToken): string {
  return Buffer.from(token.uuid).toString('base64url')
}

/** A cursor that we did not make begins at the first page. */
function uuidOfCursor(cursor: string): string | undefined {
  const name = Buffer.from(cursor, 'base64url').toString('latin1')
  return isUuid(name) ? name : undefined
}

function isUuid(name: string): boolean {
  return /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name)
}
