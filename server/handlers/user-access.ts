import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import { endOfTemporaryPassword } from '../domain/lifetimes.ts'
import { iso, toWireSession } from '../domain/wire.ts'

type Users = Handlers<ApiTable>['users']

const temporaryPasswordOptions: Users['temporaryPasswordOptions'] = ({ deps }) => {
  const { temp_password_presets, temp_password_default } = deps.settings()
  return { presets: temp_password_presets, default_hours: temp_password_default }
}

const resetPassword: Users['resetPassword'] = async ({ deps, actor, target, body, record, fail }) => {
  const { password, expires_hours = -1, require_password_change = true, revoke_developer_tokens = false } = body
  const password_hash = await deps.passwords.hash(password)
  const at = deps.clock()
  const password_expires = endOfTemporaryPassword(require_password_change, expires_hours, at)
  const done = await deps.storage.users.setPassword(target.user_id, {
    password_hash,
    require_password_change,
    password_expires,
    revoke_developer_tokens,
    by: actor.user.user_id,
    at,
  })
  if (!done) return fail('USER_NOT_FOUND')
  await deps.attempts.clearAccount(target.username)
  record({
    event: 'password_reset',
    user_id: target.user_id,
    by: actor.user.user_id,
    require_password_change,
    password_expires,
    revoke_developer_tokens,
  })
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
  temporaryPasswordOptions,
  resetPassword,
  resetSecondFactor,
  sessions,
  revokeSessions,
  revokeSession,
}
