import type { Permission } from '../../api/permissions.ts'
import type { UserEdit, UserRecord } from '../storage/port.ts'

/** Whose account this person may administer: the guard that every route shares which could take an account over. */
export function mayAdminister(actor: UserRecord, target: UserRecord): boolean {
  if (actor.superuser) return true
  if (!actor.permissions.includes('USER_CONFIG')) return false
  return !target.superuser && target.manager_id === actor.user_id
}

export function mayAdministerUsers(actor: UserRecord): boolean {
  return actor.superuser || actor.permissions.includes('USER_CONFIG')
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
    edit.enabled !== undefined
  )
}
