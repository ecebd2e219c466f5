import { readSettings, type SettingName, type Settings } from '../../api/settings.ts'
import type { LastWayIn } from '../storage/port/ways-in.ts'
import type { Storage } from '../storage/port.ts'

export interface Changed {
  settings: Settings
  changes: Partial<Record<SettingName, { from: unknown; to: unknown }>>
}

/** The settings as they hold now. */
export interface LiveSettings {
  current(): Settings
  /**
   * Stores these and lets them hold at once, and answers what each was and is; or answers which of them does not fit the
   * others, or whose last way in would be gone, and changes nothing.
   */
  change(patch: Partial<Settings>, at: number): Promise<Changed | { unsound: SettingName } | LastWayIn>
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
    async change(patch, at) {
      await refresh()
      const before = current
      const { temp_password_presets, temp_password_default } = { ...current, ...patch }
      if (!temp_password_presets.includes(temp_password_default)) return { unsound: 'temp_password_default' }
      const stored = await storage.settings.change(patch, at)
      if (stored !== 'done') return stored
      await refresh()
      return { settings: current, changes: changesOf(before, patch) }
    },
  }
}

function changesOf(before: Settings, patch: Partial<Settings>): Changed['changes'] {
  const old = new Map<string, unknown>(Object.entries(before))
  const changes = Object.entries(patch).map(([name, to]) => ({ name, from: old.get(name), to }))
  const real = changes.filter(({ from, to }) => JSON.stringify(from) !== JSON.stringify(to))
  return Object.fromEntries(real.map(({ name, from, to }) => [name, { from, to }]))
}
