import { authOf, type Endpoint } from '../../api/endpoint.ts'
import { isPermission } from '../../api/permissions.ts'
import type { Actor } from './sessions.ts'
import { FRESH_FOR } from './lifetimes.ts'

export type AdmissionRefusal = 'ACCOUNT_DISABLED' | 'PASSWORD_CHANGE_REQUIRED' | 'ACCESS_DENIED' | 'REAUTH_REQUIRED'

/**
 * Whether this caller may use this entry, in the contract's order: enabled, password gate, permission, freshness.
 * Everything it needs is in the entry and in the caller's row; an entry that says nothing is at its strictest.
 */
export function refuseAdmission(entry: Endpoint, { user, session }: Actor, now: number): AdmissionRefusal | undefined {
  if (!user.enabled) return 'ACCOUNT_DISABLED'
  if (user.require_password_change && entry.gate !== 'open' && session.kind !== 'developer')
    return 'PASSWORD_CHANGE_REQUIRED'
  if (!isPermitted(entry, { user, session })) return 'ACCESS_DENIED'
  if (entry.fresh && now - session.authenticated_at > FRESH_FOR) return 'REAUTH_REQUIRED'
  return undefined
}

function isPermitted(entry: Endpoint, { user, session }: Actor): boolean {
  const auth = authOf(entry)
  if (auth === 'public' || auth === 'session') return true
  if (session.kind === 'developer') return false
  if (auth === 'browser') return true
  if (user.superuser) return true
  return isPermission(auth) && user.permissions.includes(auth)
}
