import { readSettings, type SettingName, type Settings } from '../../api/settings.ts'
import type { Storage } from '../storage/port.ts'

/** The settings as they hold now. */
export interface LiveSettings {
  current(): Settings
  /** Stores these and lets them hold at once; or answers which of them does not fit the others, and changes nothing. */
  change(patch: Partial<Settings>): Promise<Settings | { unsound: SettingName }>
  /** Learns what another server has changed. */
  refresh(): Promise<void>
}

export async function createLiveSettings(storage: Storage): Promise<LiveSettings> {
  let current = readSettings(await storage.settings.all())

  async function refresh(): Promise<void> {
    current = readSettings(await storage.settings.all())
  }

  return {
    current: () => current,
    refresh,
    async change(patch) {
      await refresh()
      const { temp_password_presets, temp_password_default } = { ...current, ...patch }
      if (!temp_password_presets.includes(temp_password_default)) return { unsound: 'temp_password_default' }
      await storage.settings.change(patch)
      await refresh()
      return current
    },
  }
}
