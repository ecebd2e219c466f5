import type { Endpoint } from '../../api/endpoint.ts'
import type { Factor } from '../../api/schemas.ts'
import type { Settings } from '../../api/settings.ts'
import type { AuthSource, UserRecord } from '../storage/port.ts'
import { isAdministrator } from './guards.ts'
import type { Actor } from './sessions.ts'

type Demand = Settings['mfa_demand']

export type GateRefusal =
  'SECOND_FACTOR_REQUIRED' | 'PASSWORD_CHANGE_REQUIRED' | 'TEMP_PASSWORD_EXPIRED' | 'MFA_ENROLMENT_REQUIRED'

/**
 * Whether the gate closes this entry to this caller. Who came by a login token or an ATProto account alone must prove his second factor first, if
 * he has one; who has a temporary password must choose his own; who lacks a second factor that the settings demand must
 * enrol one. Programs with a developer token are not held.
 */
export function refuseAtGate(entry: Endpoint, actor: Actor, demand: Demand, now: number): GateRefusal | undefined {
  const { user, session } = actor
  if (session.kind === 'developer' || entry.gate === 'open') return undefined
  if (isLimited(actor)) return entry.gate === 'proof' ? undefined : 'SECOND_FACTOR_REQUIRED'
  const mustEnrol = lacksSecondFactor(actor, demand)
  const enrols = entry.gate === 'second_factor' || entry.gate === 'proof'
  const mayPass = entry.gate === 'password' || (enrols && mustEnrol)
  if (user.require_password_change) {
    if (!mayPass) return 'PASSWORD_CHANGE_REQUIRED'
    // The startup token is the last way in: the end of a temporary password does not close it.
    return session.kind !== 'temporary' && hasExpired(user, now) ? 'TEMP_PASSWORD_EXPIRED' : undefined
  }
  const held = mustEnrol && session.kind !== 'temporary'
  return held && !enrols ? 'MFA_ENROLMENT_REQUIRED' : undefined
}

/** Ways of signing in that no second factor is asked in. */
const WITHOUT_PASSWORD: ReadonlySet<AuthSource> = new Set(['login_token', 'atproto'])

/** What counts as the second factor of an account that has one. */
const SECOND_FACTORS: ReadonlySet<Factor> = new Set(['otp', 'recovery', 'device'])

/**
 * Whether something else than a password began this session (a login token, or an ATProto account), and the second factor that the
 * account has here is still to be proved in it.
 */
function isLimited({ user, session }: Actor): boolean {
  if (!WITHOUT_PASSWORD.has(session.auth_source) || user.totp_confirmed_at === null) return false
  return !session.amr.some((factor) => SECOND_FACTORS.has(factor))
}

/** Whether this user's temporary password has come to its end. */
export function hasExpired(user: UserRecord, now: number): boolean {
  return user.require_password_change && user.password_expires !== null && user.password_expires <= now
}

/** Who has no password and came by a login token could not prove himself before enrolling; by an ATProto account he can. */
function lacksSecondFactor({ user, session }: Actor, demand: Demand): boolean {
  if (user.totp_confirmed_at !== null) return false
  if (user.password_hash === null && session.auth_source !== 'atproto') return false
  return demand === 'everybody' || (demand === 'administrators' && isAdministrator(user))
}
