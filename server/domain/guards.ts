import type { Target } from '../../api/endpoint.ts'
import type { Permission } from '../../api/permissions.ts'
import type { UserEdit, UserRecord } from '../storage/port.ts'
import type { Actor } from './sessions.ts'

/**
 * The one place that says whose account a person may touch. Every route that could take an account over asks here:
 * edit, disable, delete, reset, sessions, second factors, login tokens.
 */

export type TargetRefusal = 'ACCESS_DENIED' | 'ADMIN_NETWORK' | 'USER_NOT_FOUND' | 'SELF_RESET'

/**
 * The user whom an entry acts on, or why this caller may not act on him, in the contract's order: permission,
 * network, existence, superuser protection and manager guard, not oneself.
 */
export async function reachTarget(
  { self }: Target,
  { user, session }: Actor,
  user_id: number,
  find: (user_id: number) => Promise<UserRecord | undefined>,
  isInNetwork: () => boolean,
): Promise<UserRecord | TargetRefusal> {
  const own = user_id === user.user_id
  if (own && self === 'allowed') return user
  if (session.kind === 'developer' || !holds(user, 'USER_CONFIG')) return 'ACCESS_DENIED'
  if (!isInNetwork()) return 'ADMIN_NETWORK'
  const target = await find(user_id)
  if (!target) return 'USER_NOT_FOUND'
  if (!isInReach(user, target)) return 'ACCESS_DENIED'
  return own ? 'SELF_RESET' : target
}

/** Superuser protection and manager guard: only a superuser reaches superusers and people whom he does not manage. */
export function isInReach(actor: UserRecord, target: UserRecord): boolean {
  return actor.superuser || (!target.superuser && target.manager_id === actor.user_id)
}

/** Whether there is anything that this user may administer. */
export function isAdministrator({ superuser, permissions }: UserRecord): boolean {
  return superuser || permissions.length > 0
}

export function holds(user: UserRecord, permission: Permission): boolean {
  return user.superuser || user.permissions.includes(permission)
}

/** Whether an administrator may make or change a user so: nobody hands out what he does not hold himself. */
export function mayAssign(actor: UserRecord, edit: UserEdit): boolean {
  if (actor.superuser) return true
  if (edit.superuser === true) return false
  if (edit.manager_id !== undefined && edit.manager_id !== actor.user_id) return false
  return (edit.permissions ?? []).every((permission: Permission) => actor.permissions.includes(permission))
}

/** The fields that only an administrator sets, present in this edit. */
export function hasAdministeredField(edit: UserEdit): boolean {
  return (
    edit.superuser !== undefined ||
    edit.permissions !== undefined ||
    edit.manager_id !== undefined ||
    edit.enabled !== undefined ||
    edit.did !== undefined
  )
}
