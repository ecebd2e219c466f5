import type { ApiTable } from '../../api/index.ts'
import { afterEnrolment, confirmEnrolment } from '../domain/enrolment.ts'
import { hasAdministeredField, mayAssign } from '../domain/guards.ts'
import { isRefusal } from '../domain/sign-in.ts'
import type { UserEdit, UserRecord } from '../storage/port.ts'
import type { Call, Handlers } from '../call.ts'
import { decodeCursor, encodeCursor } from '../domain/cursor.ts'
import { isFresh } from '../domain/admission.ts'
import { createUser, rightsIn, speaksOf } from '../domain/user-accounts.ts'
import { isLastWayIn, lastWayIn } from '../domain/ways-in.ts'
import { toWireUser } from '../domain/wire.ts'

type Users = Handlers<ApiTable>['users']

const list: Users['list'] = async ({ deps, actor, query }) => {
  const sort = query.sort ?? 'username'
  const { limit } = query
  const { items, total, total_exact } = await deps.storage.users.list({
    q: query.q,
    state: query.state,
    managed_by: actor.user.superuser ? undefined : actor.user.user_id,
    sort,
    limit: limit + 1,
    after: decodeCursor(query.cursor, sort),
  })
  const shown = items.slice(0, limit)
  const last = shown.at(-1)
  return {
    items: shown.map(toWireUser),
    next_cursor: items.length > limit && last ? encodeCursor(last, sort) : null,
    total,
    total_exact,
  }
}

const create: Users['create'] = async ({ deps, actor, body, record, fail }) => {
  const { password, require_password_change = false, expires_hours = -1, ...fields } = body
  const wanted = present(fields)
  if (!mayAssign(actor.user, wanted)) fail('INVALID_FIELD_MODIFY')
  // Whoever has the account that is entered here can sign in: as with login tokens, it must be the administrator himself who enters it.
  if (fields.did && !isFresh(actor, deps.clock())) fail('REAUTH_REQUIRED')
  const manager_id = actor.user.superuser ? (fields.manager_id ?? null) : actor.user.user_id
  if (manager_id !== null && !(await deps.storage.users.find(manager_id))) fail('MANAGER_INVALID')
  const form = { ...fields, manager_id, password, require_password_change, expires_hours }
  const made = await createUser(deps, form, { by: actor.user.user_id, fields: Object.keys(fields) }, record)
  if (typeof made === 'string') return fail(made)
  if (fields.did) record({ event: 'atproto_linked', user_id: made.user_id, by: actor.user.user_id, did: fields.did })
  return made
}

const readMe: Users['readMe'] = ({ deps, actor }) => ownRecord(deps, actor.user)

const editMe: Users['editMe'] = async (call) => {
  const { deps, actor, body, from, record, fail, tooMany, cookies } = call
  const { password, current_password, totp_code, username, email, display_name, lang, ...forbidden } = body
  if (Object.values(forbidden).some((value) => value !== undefined)) fail('INVALID_FIELD_MODIFY')
  if (totp_code !== undefined && password === undefined) fail('INVALID_FIELD_MODIFY')
  const edit = present({ username, email, display_name, lang })
  const edits = Object.keys(edit).length > 0
  if (actor.user.require_password_change && (edits || password === undefined)) fail('PASSWORD_CHANGE_REQUIRED')

  const sensitive = password !== undefined || email !== undefined || username !== undefined
  if (sensitive) {
    if (deps.ownPassword.mustProveAnew(actor)) fail('REAUTH_REQUIRED')
    const proved = await deps.ownPassword.prove(actor, current_password, from, record)
    if (proved !== true) return isRefusal(proved) ? tooMany(proved) : fail('CURRENT_PASSWORD_WRONG')
  }
  const fault = password === undefined ? undefined : await deps.ownPassword.check(actor, password)
  if (fault) return 'reason' in fault ? fail(fault.refused, { reason: fault.reason }) : fail(fault.refused)
  const recovery_codes =
    totp_code === undefined ? undefined : await confirmEnrolment(deps, actor, totp_code, from, record)
  if (isRefusal(recovery_codes)) return tooMany(recovery_codes)
  if (typeof recovery_codes === 'string') return fail(recovery_codes)
  if (edits) {
    const edited = await deps.storage.users.edit(actor.user.user_id, edit, deps.clock())
    if (edited === 'USERNAME_TAKEN' || edited === 'EMAIL_TAKEN') fail(edited)
    record({ event: 'user_edited', user_id: actor.user.user_id, by: actor.user.user_id, fields: Object.keys(edit) })
  }
  const issued =
    password === undefined
      ? await deps.sessions.rotate(actor.session)
      : await deps.ownPassword.set(recovery_codes ? afterEnrolment(actor) : actor, password, from, record)
  if (!issued) return fail('SESSION_EXPIRED')
  cookies.setSession(issued)
  const user = (await deps.storage.users.find(actor.user.user_id)) ?? actor.user
  return { ...(await ownRecord(deps, user)), token: issued.token, ...(recovery_codes ? { recovery_codes } : {}) }
}

const read: Users['read'] = ({ target }) => toWireUser(target)

const edit: Users['edit'] = async (call) => {
  const { deps, actor, target, body, record, fail } = call
  const { did, ...others } = present(body)
  const wanted: UserEdit = did === undefined || did === target.did ? others : { ...others, did }
  await checkEdit(call, wanted)
  const edited = await deps.storage.users.edit(target.user_id, wanted, deps.clock())
  if (edited === 'absent') return fail('USER_NOT_FOUND')
  if (isLastWayIn(edited)) return fail('LAST_WAY_IN', lastWayIn(edited, actor))
  if (edited !== 'done') return fail(edited)
  const rights = rightsIn(wanted)
  const who = { user_id: target.user_id, by: actor.user.user_id }
  record({
    event: 'user_edited',
    ...who,
    fields: Object.keys(wanted),
    ...(speaksOf(rights) ? { rights: { from: rightsIn(wanted, target), to: rights } } : {}),
  })
  if (wanted.enabled !== undefined && wanted.enabled !== target.enabled)
    record({ event: wanted.enabled ? 'user_enabled' : 'user_disabled', ...who })
  if (wanted.did !== undefined) {
    if (target.did !== null) record({ event: 'atproto_unlinked', ...who, did: target.did })
    if (wanted.did !== null) record({ event: 'atproto_linked', ...who, did: wanted.did })
  }
  return toWireUser((await deps.storage.users.find(target.user_id)) ?? target)
}

async function checkEdit(
  { deps, actor, target, from, fail }: Call<ApiTable['users']['edit']>,
  wanted: UserEdit,
): Promise<void> {
  const own = target.user_id === actor.user.user_id
  // One's own name and mail address want the current password: that is what `@me` is for.
  if (own && (wanted.username !== undefined || wanted.email !== undefined)) fail('INVALID_FIELD_MODIFY')
  // One's own ATProto account proves itself by signing in.
  if (own && wanted.did !== undefined) fail('INVALID_FIELD_MODIFY')
  if (own && !actor.user.superuser && hasAdministeredField(wanted)) fail('INVALID_FIELD_MODIFY')
  // What is one's own stays open from everywhere; one's own rights are administration as those of others are.
  if (own && hasAdministeredField(wanted) && !deps.adminNetworks.hold(from)) fail('ADMIN_NETWORK')
  if (!mayAssign(actor.user, wanted)) fail('INVALID_FIELD_MODIFY')
  if (wanted.did && !isFresh(actor, deps.clock())) fail('REAUTH_REQUIRED')
  if (wanted.manager_id === target.user_id) fail('MANAGER_INVALID')
  if (wanted.manager_id && !(await deps.storage.users.find(wanted.manager_id))) fail('MANAGER_INVALID')
}

const remove: Users['remove'] = async ({ deps, actor, target, record, fail, cookies }) => {
  const removed = await deps.storage.users.remove(target.user_id, deps.clock())
  if (removed === 'absent') return fail('USER_NOT_FOUND')
  if (removed === 'LAST_SUPERUSER') return fail(removed)
  if (isLastWayIn(removed)) return fail('LAST_WAY_IN', lastWayIn(removed, actor))
  record({ event: 'user_deleted', user_id: target.user_id, username: target.username, by: actor.user.user_id })
  if (target.user_id === actor.user.user_id) cookies.clearSession()
  return {}
}

const invalidateTokens: Users['invalidateTokens'] = async ({ deps, actor, record, cookies }) => {
  await deps.storage.sessions.revokeEverything(actor.user.user_id, deps.clock())
  record({ event: 'sessions_revoked', user_id: actor.user.user_id, by: actor.user.user_id })
  cookies.clearSession()
  return {}
}

async function ownRecord(deps: Call['deps'], user: UserRecord) {
  return { ...toWireUser(user), recovery_codes_left: await deps.storage.recoveryCodes.count(user.user_id) }
}

/** Only the fields that were sent. */
function present(fields: { [K in keyof UserEdit]?: UserEdit[K] | undefined }): UserEdit {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

export const users = { list, create, readMe, editMe, read, edit, remove, invalidateTokens }
