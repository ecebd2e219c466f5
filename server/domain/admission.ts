import { authOf, type Endpoint, isAdministration } from '../../api/endpoint.ts'
import { isPermission } from '../../api/permissions.ts'
import type { Settings } from '../../api/settings.ts'
import { holds, isAdministrator } from './guards.ts'
import { lacksScope } from './grants.ts'
import { type GateRefusal, refuseAtGate } from './gate.ts'
import type { Actor, Origin } from './sessions.ts'
import { FRESH_FOR } from './lifetimes.ts'

export type AdmissionRefusal =
  'ACCOUNT_DISABLED' | GateRefusal | 'SCOPE_UPGRADE_REQUIRED' | 'ACCESS_DENIED' | 'ADMIN_NETWORK' | 'REAUTH_REQUIRED'

/** From where people may administer. This machine itself is always among it: the way out. */
export interface AdminNetworks {
  /** Whether somebody there may, as the settings are. */
  hold(from: Place): boolean
  /** Whether somebody there might, if these were the networks. */
  wouldHold(networks: readonly string[], from: Place): boolean
}

type Place = Pick<Origin, 'ip' | 'at_machine'>

/**
 * Whether this caller may use this entry, in the contract's order: enabled, gate, scope, permission, network, freshness.
 * Everything it needs is in the entry, the settings, the caller's row and where he is; an entry that says nothing is at its strictest.
 */
export function refuseAdmission(
  entry: Endpoint,
  actor: Actor,
  settings: Pick<Settings, 'mfa_demand' | 'atproto_scopes'>,
  now: number,
  isInNetwork: () => boolean,
): AdmissionRefusal | undefined {
  if (!actor.user.enabled) return 'ACCOUNT_DISABLED'
  const held = refuseAtGate(entry, actor, settings.mfa_demand, now)
  if (held) return held
  if (entry.scope !== 'open' && lacksScope(actor.session, settings)) return 'SCOPE_UPGRADE_REQUIRED'
  if (!isPermitted(entry, actor)) return 'ACCESS_DENIED'
  if (isAdministration(entry) && !isInNetwork()) return 'ADMIN_NETWORK'
  if (entry.fresh && !isFresh(actor, now)) return 'REAUTH_REQUIRED'
  return undefined
}

/** Whether this caller has proved within the last quarter of an hour who he is. */
export function isFresh({ session }: Actor, now: number): boolean {
  return now - session.authenticated_at <= FRESH_FOR
}

function isPermitted(entry: Endpoint, { user, session }: Actor): boolean {
  const auth = authOf(entry)
  if (auth === 'public' || auth === 'session') return true
  if (session.kind === 'developer') return false
  if (entry.administers && !isAdministrator(user)) return false
  if (auth === 'browser') return true
  return isPermission(auth) ? holds(user, auth) : user.superuser
}
