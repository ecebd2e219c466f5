import type { PasswordFault } from '../../api/errors.ts'
import type { Storage } from '../storage/port.ts'
import { isFresh } from './admission.ts'
import type { Attempts, Refusal } from './attempts.ts'
import type { RecordEvent } from './events.ts'
import type { PasswordHasher } from './password-hashing.ts'
import type { PasswordPolicy } from './password-policy.ts'
import type { Actor, IssuedSession, Origin, Sessions } from './sessions.ts'
import type { Settings } from '../../api/settings.ts'
import { namesOf } from './sign-in.ts'
import { outcomeOfPassword, proveAgain } from './proof.ts'

export interface OwnPasswordDeps {
  storage: Storage
  sessions: Sessions
  attempts: Attempts
  passwords: PasswordHasher
  policy: PasswordPolicy
  clock: () => number
  settings: () => Settings
}

type Refused = { refused: 'PASSWORD_UNCHANGED' } | { refused: 'PASSWORD_UNACCEPTABLE'; reason: PasswordFault }

export interface OwnPassword {
  /** Whether this session must prove the current password before it may choose another. */
  needsCurrent(actor: Actor): boolean
  /**
   * Whether this session must be proved anew first, at the provider of its ATProto account: there is no password to ask for, and one
   * that is set is there for good.
   */
  mustProveAnew(actor: Actor): boolean
  /** Checks the current password where it is needed; a wrong one counts like a failed sign-in. */
  prove(actor: Actor, current: string | undefined, from: Origin, record: RecordEvent): Promise<boolean | Refusal>
  /** Why this password cannot be the person's next one; undefined when it can. */
  check(actor: Actor, chosen: string): Promise<Refused | undefined>
  /**
   * Sets a password that was checked. Every other session ends, this one is replaced by the one in the answer; the
   * gate opens. Undefined when somebody else changed the password in the meantime.
   */
  set(actor: Actor, chosen: string, from: Origin, record: RecordEvent): Promise<IssuedSession | undefined>
}

export function createOwnPassword(deps: OwnPasswordDeps): OwnPassword {
  const { storage, sessions, attempts, passwords, policy, clock, settings } = deps

  function needsCurrent({ user, session }: Actor): boolean {
    return user.password_hash !== null && !user.require_password_change && session.kind !== 'temporary'
  }

  return {
    needsCurrent,

    mustProveAnew: (actor) =>
      actor.user.password_hash === null && actor.session.auth_source === 'atproto' && !isFresh(actor, clock()),

    async prove(actor, current, from, record) {
      if (!needsCurrent(actor)) return true
      return proveAgain<boolean>(attempts, actor, from, record, async () => {
        const { matches } = await passwords.verify(current ?? '', actor.user.password_hash)
        if (matches) return { outcome: outcomeOfPassword(actor.user), value: true }
        record({ event: 'password_change_refused', user_id: actor.user.user_id, reason: 'CURRENT_PASSWORD_WRONG' })
        return { outcome: 'failed', value: false }
      })
    },

    async check({ user }, chosen) {
      const fault = await policy(chosen, { min_length: settings().min_password_length, names: namesOf(user) })
      if (fault) return { refused: 'PASSWORD_UNACCEPTABLE', reason: fault }
      const { matches } = await passwords.verify(chosen, user.password_hash)
      return matches ? { refused: 'PASSWORD_UNCHANGED' } : undefined
    },

    async set({ user, session }, chosen, from, record) {
      const password_hash = await passwords.hash(chosen)
      // The session that follows stands on the password: break-glass is over, and what a provider granted was for the one before.
      const stands = session.auth_source === 'startup_token' || session.auth_source === 'atproto'
      const auth_source = stands ? 'password' : session.auth_source
      const amr = session.amr.includes('pwd') ? session.amr : [...session.amr, 'pwd' as const]
      const { row, issued } = sessions.compose(user, { auth_source, amr, group_id: session.group_id }, from)
      const done = await storage.users.setPassword(user.user_id, {
        password_hash,
        instead_of: user.password_hash,
        require_password_change: false,
        password_expires: null,
        at: clock(),
        replacement: row,
      })
      if (!done) return undefined
      await attempts.clearAccount(user.username)
      record({ event: 'password_changed', user_id: user.user_id })
      return issued
    },
  }
}
