import type { Endpoint } from '../../api/endpoint.ts'
import type { Settings } from '../../api/settings.ts'
import type { UserRecord } from '../storage/port.ts'
import type { Actor } from './sessions.ts'

type Demand = Settings['mfa_demand']

export type GateRefusal = 'PASSWORD_CHANGE_REQUIRED' | 'TEMP_PASSWORD_EXPIRED' | 'MFA_ENROLMENT_REQUIRED'

/**
 * Whether the gate closes this entry to this caller. Who has a temporary password must choose his own first; who
 * lacks a second factor that the settings demand must enrol one. Programs with a developer token are not held.
 */
export function refuseAtGate(entry: Endpoint, actor: Actor, demand: Demand, now: number): GateRefusal | undefined {
  const { user, session } = actor
  if (session.kind === 'developer' || entry.gate === 'open') return undefined
  const mustEnrol = lacksSecondFactor(user, demand)
  const mayPass = entry.gate === 'password' || (entry.gate === 'second_factor' && mustEnrol)
  if (user.require_password_change) {
    if (!mayPass) return 'PASSWORD_CHANGE_REQUIRED'
    // The startup token is the last way in: the end of a temporary password does not close it.
    return session.kind !== 'temporary' && hasExpired(user, now) ? 'TEMP_PASSWORD_EXPIRED' : undefined
  }
  const held = mustEnrol && session.kind !== 'temporary'
  return held && entry.gate !== 'second_factor' ? 'MFA_ENROLMENT_REQUIRED' : undefined
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
