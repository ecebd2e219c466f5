import type { Settings } from '../../api/settings.ts'
import type { LoginTokenRecord, Storage, UserRecord } from '../storage/port.ts'
import { isInReach } from './guards.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import { isAllowedRedirect } from './redirects.ts'
import type { Actor } from './sessions.ts'

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

export interface LoginTokenForm {
  login_user_id: number
  /** Seconds. */
  expires_in: number
  reason?: string | undefined
  redirect_to?: string | undefined
}

type MintRefusal = 'ACCESS_DENIED' | 'USER_NOT_FOUND' | 'REDIRECT_NOT_ALLOWED' | 'TOO_MANY_ACTIVE'

export interface MintedLoginToken {
  record: LoginTokenRecord
  target: UserRecord
  /** Told once; only its hash is stored. */
  secret: string
}

export interface LoginTokens {
  /** Makes a login token, unless the guards protect the person from this caller. */
  mint(actor: Actor, form: LoginTokenForm): Promise<MintedLoginToken | MintRefusal>
}

export function createLoginTokens({ storage, clock, random, uuid, settings }: LoginTokensDeps): LoginTokens {
  return {
    async mint({ user, session }, { login_user_id, expires_in, reason, redirect_to }) {
      // The startup token lets somebody back in; it does not hand the way in to others.
      if (session.kind !== 'browser') return 'ACCESS_DENIED'
      const target = await storage.users.find(login_user_id)
      if (!target) return 'USER_NOT_FOUND'
      if (!isInReach(user, target)) return 'ACCESS_DENIED'
      if (redirect_to !== undefined && !isAllowedRedirect(redirect_to, settings().redirect_origins))
        return 'REDIRECT_NOT_ALLOWED'
      const now = clock()
      const secret = createSecret(random)
      const record = {
        uuid: uuid(),
        user_id: user.user_id,
        login_user_id,
        reason: reason || null,
        redirect_to: redirect_to ?? null,
        created_at: now,
        expires_at: now + expires_in * 1000,
      }
      const stored = await storage.loginTokens.create({ ...record, secret_hash: hashSecret(secret) }, MOST_ACTIVE)
      if (!stored) return 'TOO_MANY_ACTIVE'
      return { record: { ...record, used_at: null, used_ip: null, deleted_at: null }, target, secret }
    },
  }
}
