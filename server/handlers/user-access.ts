import type { ApiTable } from '../../api/index.ts'
import { MOST_WAYS_IN } from '../../api/user-access.ts'
import type { Handlers } from '../call.ts'
import { resetPassword as resetPasswordOf } from '../domain/user-accounts.ts'
import { isLastWayIn, lastWayIn } from '../domain/ways-in.ts'
import { iso, toWireSession } from '../domain/wire.ts'

type Users = Handlers<ApiTable>['users']

const waysIn: Users['waysIn'] = async ({ deps }) => ({
  items: await deps.storage.users.waysIn(deps.clock(), MOST_WAYS_IN),
})

const temporaryPasswordOptions: Users['temporaryPasswordOptions'] = ({ deps }) => {
  const { temp_password_presets, temp_password_default } = deps.settings()
  return { presets: temp_password_presets, default_hours: temp_password_default }
}

const resetPassword: Users['resetPassword'] = async ({ deps, actor, target, body, record, fail }) => {
  const { password, expires_hours = -1, require_password_change = true, revoke_developer_tokens = false } = body
  const form = { password, expires_hours, require_password_change, revoke_developer_tokens }
  const done = await resetPasswordOf(deps, target, form, actor.user.user_id, record)
  if (!done) return fail('USER_NOT_FOUND')
  if (isLastWayIn(done)) return fail('LAST_WAY_IN', lastWayIn(done, actor))
  const { password_expires } = done
  return { password, ...(password_expires === null ? {} : { expires: iso(password_expires) }) }
}

const resetSecondFactor: Users['resetSecondFactor'] = async ({ deps, actor, target, record, fail }) => {
  if (!(await deps.storage.users.removeTotp(target.user_id))) fail('TOTP_NOT_ENABLED')
  record({ event: 'second_factor_reset', user_id: target.user_id, by: actor.user.user_id })
  return {}
}

const sessions: Users['sessions'] = async ({ deps, actor, target }) => {
  const live = await deps.sessions.listLive(target.user_id)
  return { sessions: live.map((session) => toWireSession(session, actor.session)) }
}

const revokeSessions: Users['revokeSessions'] = async ({ deps, actor, target, record, cookies }) => {
  await deps.storage.sessions.revokeEverything(target.user_id, deps.clock())
  record({ event: 'sessions_revoked', user_id: target.user_id, by: actor.user.user_id })
  if (target.user_id === actor.user.user_id) cookies.clearSession()
  return {}
}

const revokeSession: Users['revokeSession'] = async ({ deps, actor, target, params, record, fail, cookies }) => {
  const { session_id } = params
  if (!(await deps.storage.sessions.revoke(session_id, target.user_id, deps.clock()))) fail('SESSION_NOT_FOUND')
  record({ event: 'session_revoked', user_id: target.user_id, by: actor.user.user_id, session_id })
  if (session_id === actor.session.session_id) cookies.clearSession()
  return {}
}

export const userAccess = {
  waysIn,
  temporaryPasswordOptions,
  resetPassword,
  resetSecondFactor,
  sessions,
  revokeSessions,
  revokeSession,
}
