import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'

type SettingHandlers = Handlers<ApiTable>['settings']

const read: SettingHandlers['read'] = ({ deps }) => deps.settings()

const change: SettingHandlers['change'] = async ({ deps, actor, body, record, fail }) => {
  const patch = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== undefined))
  const changed = await deps.liveSettings.change(patch)
  if ('unsound' in changed) return fail('SETTING_UNSOUND', { setting: changed.unsound })
  record({ event: 'settings_changed', by: actor.user.user_id, changes: changed.changes })
  return changed.settings
}

export const settings: SettingHandlers = { read, change }
