import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import { iso, toWireSession } from '../domain/wire.ts'

type Auth = Handlers<ApiTable>['auth']

const sessions: Auth['sessions'] = async ({ deps, actor }) => {
  const live = await deps.sessions.listLive(actor.user.user_id)
  return { sessions: live.map((session) => toWireSession(session, actor.session)) }
}

const revokeSession: Auth['revokeSession'] = async ({ deps, actor, params, record, fail, cookies }) => {
  const { session_id } = params
  if (!(await deps.storage.sessions.revoke(session_id, actor.user.user_id, deps.clock()))) fail('SESSION_NOT_FOUND')
  record({ event: 'session_revoked', user_id: actor.user.user_id, by: actor.user.user_id, session_id })
  if (session_id === actor.session.session_id) cookies.clearSession()
  return {}
}

const revokeOtherSessions: Auth['revokeOtherSessions'] = async ({ deps, actor, record }) => {
  const revoked = await deps.storage.sessions.revokeAll(actor.user.user_id, deps.clock(), actor.session.session_id)
  if (revoked > 0)
    record({ event: 'sessions_revoked', user_id: actor.user.user_id, by: actor.user.user_id, count: revoked })
  return { revoked }
}

const trustedDevices: Auth['trustedDevices'] = async ({ deps, actor }) => {
  const devices = await deps.storage.trustedDevices.list(actor.user.user_id, deps.clock())
  return {
    devices: devices.map((device) => ({
      device_id: device.device_id,
      created_at: iso(device.created_at),
      last_used_at: iso(device.last_used_at),
      expires_at: iso(device.expires_at),
      ip: device.ip,
      user_agent: device.user_agent,
    })),
  }
}

const revokeTrustedDevice: Auth['revokeTrustedDevice'] = async ({ deps, actor, params, record, fail }) => {
  if (!(await deps.storage.trustedDevices.remove(params.device_id, actor.user.user_id))) fail('DEVICE_NOT_FOUND')
  record({ event: 'device_distrusted', user_id: actor.user.user_id, by: actor.user.user_id })
  return {}
}

export const ownSessions = { sessions, revokeSession, revokeOtherSessions, trustedDevices, revokeTrustedDevice }
