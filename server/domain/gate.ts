import type { Endpoint } from '../../api/endpoint.ts'
import type { Factor } from '../../api/schemas.ts'
import type { Settings } from '../../api/settings.ts'
import type { UserRecord } from '../storage/port.ts'
import type { Actor } from './sessions.ts'

type Demand = Settings['mfa_demand']

export type GateRefusal =
  'SECOND_FACTOR_REQUIRED' | 'PASSWORD_CHANGE_REQUIRED' | 'TEMP_PASSWORD_EXPIRED' | 'MFA_ENROLMENT_REQUIRED'

/**
 * Whether the gate closes this entry to this caller. Who came by a login token alone must prove his second factor first, if
 * he has one; who has a temporary password must choose his own; who lacks a second factor that the settings demand must
 * enrol one. Programs with a developer token are not held.
 */
export function refuseAtGate(entry: Endpoint, actor: Actor, demand: Demand, now: number): GateRefusal | undefined {
  const { user, session } = actor
  if (session.kind === 'developer' || entry.gate === 'open') return undefined
  if (isLimited(actor)) return entry.gate === 'proof' ? undefined : 'SECOND_FACTOR_REQUIRED'
  const mustEnrol = lacksSecondFactor(user, demand)
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

/** What counts as the second factor of an account that has one. */
const SECOND_FACTORS: ReadonlySet<Factor> = new Set(['otp', 'recovery', 'device'])

/** Whether a login token began this session, and the second factor that its account has is still to be proved in it. */
function isLimited({ user, session }: Actor): boolean {
  if (session.auth_source !== 'login_token' || user.totp_confirmed_at === null) return false
  return !session.amr.some((factor) => SECOND_FACTORS.has(factor))
}

/** Whether this user's temporary password has come to its end. */
export function hasExpired(user: UserRecord, now: number): boolean {
  return user.require_password_change && user.password_expires !== null && user.password_expires <= now
}

/** Who has no password comes in by other means, and could not prove himself before enrolling. */
function lacksSecondFactor(user: UserRecord, demand: Demand): boolean {
  if (user.totp_confirmed_at !== null || user.password_hash === null) return false
  const administers = user.superuser || user.permissions.length > 0
  return demand === 'everybody' || (demand === 'administrators' && administers)
}
