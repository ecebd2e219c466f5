import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import { isLastWayIn, lastWayIn } from '../domain/ways-in.ts'

type SettingHandlers = Handlers<ApiTable>['settings']

const read: SettingHandlers['read'] = ({ deps }) => deps.settings()

const change: SettingHandlers['change'] = async ({ deps, actor, body, from, record, fail }) => {
  const patch = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
  const { admin_networks } = body
  if (admin_networks && !deps.adminNetworks.wouldHold(admin_networks, from)) return fail('ADMIN_NETWORK_SELF')
  const changed = await deps.liveSettings.change(patch, deps.clock())
  if (isLastWayIn(changed)) return fail('LAST_WAY_IN', lastWayIn(changed, actor))
  if ('unsound' in changed) return fail('SETTING_UNSOUND', { setting: changed.unsound })
  record({ event: 'settings_changed', by: actor.user.user_id, changes: changed.changes })
  if (changed.changes.lan_enabled) await deps.lan.reconcile()
  return changed.settings
}

export const settings: SettingHandlers = { read, change }
