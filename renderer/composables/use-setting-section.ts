import { computed, onScopeDispose, reactive, ref, watch } from 'vue'
import type { SettingName, Settings } from '../../api/settings.ts'
import { durationText } from '../durations.ts'
import { type Bounds, DEFAULT_SETTINGS, type NumberSetting, SETTING_BOUNDS } from '../setting-rules.ts'
import { useSession } from '../stores/session.ts'
import { useSettings } from '../stores/settings.ts'
import { useAction } from './use-action.ts'
import { useForm } from './use-form.ts'
import { useText } from './use-text.ts'

type Check = () => string | undefined

const SAVED_SHOWN = 4000

/**
 * One part of the settings: `draft` is what stands there as typed, and saving sends what differs from what holds.
 * Numbers check themselves by their bounds; `checks` are for the rest.
 */
export function useSettingSection(names: readonly SettingName[], checks: Partial<Record<SettingName, Check>> = {}) {
  const settings = useSettings()
  const session = useSession()
  const { t, locale } = useText()
  const draft = reactive<Settings>(copy(settings.current))
  const saved = ref(false)
  const holder = ref<HTMLElement | null>(null)

  const changed = computed(() => names.filter((name) => !same(draft[name], settings.current[name])))
  const dirty = computed(() => changed.value.length > 0)
  const isDefault = computed(() => names.every((name) => same(draft[name], DEFAULT_SETTINGS[name])))

  const save = useAction(() => settings.change(only(draft, changed.value)), {
    fields: { SETTING_UNSOUND: names[0] ?? '', ADMIN_NETWORK_SELF: 'admin_networks' },
  })
  const form = useForm(holder, save, { ...Object.fromEntries(names.filter(isNumber).map(boundsCheck)), ...checks })

  function boundsCheck(name: NumberSetting): [string, Check] {
    const [min, max]: Bounds = SETTING_BOUNDS[name]
    return [
      name,
      () => {
        const sound = Number.isInteger(draft[name]) && draft[name] >= min && draft[name] <= max
        return sound ? undefined : t('settings.outside', boundsOf(name))
      },
    ]
  }

  /** The bounds of a number in words, for its hint. */
  function boundsOf(name: NumberSetting): { min: string; max: string } {
    const [min, max]: Bounds = SETTING_BOUNDS[name]
    if (/(failures|length)$/.test(name)) return { min: String(min), max: String(max) }
    return { min: durationText(min, locale.value), max: durationText(max, locale.value) }
  }

  function take(from: Settings): void {
    Object.assign(draft, copy(only(from, names)))
    save.clear()
  }

  const submit = () =>
    form.submit(async () => {
      if (!dirty.value) return true
      const outcome = await save.run()
      if (!outcome.ok) return false
      take(settings.current)
      saved.value = true
      // What now holds may concern the person himself, at once.
      await session.hydrate()
      return true
    })

  watch(saved, (shown, _, cleanUp) => {
    if (!shown) return
    const timer = setTimeout(() => (saved.value = false), SAVED_SHOWN)
    cleanUp(() => clearTimeout(timer))
  })
  watch(dirty, (is) => (is ? settings.unsaved.add(names.join()) : settings.unsaved.delete(names.join())))
  watch(draft, () => {
    if (dirty.value) saved.value = false
  })
  onScopeDispose(() => settings.unsaved.delete(names.join()))

  return {
    draft,
    dirty,
    isDefault,
    saved,
    action: save,
    error: form.error,
    boundsOf,
    submit,
    discard: () => take(settings.current),
    toDefault: () => take(DEFAULT_SETTINGS),
    hold: (element: unknown) => (holder.value = element instanceof HTMLElement ? element : null),
  }
}

export type SettingSection = ReturnType<typeof useSettingSection>

function isNumber(name: SettingName): name is NumberSetting {
  return Object.hasOwn(SETTING_BOUNDS, name)
}

function only(from: Settings, names: readonly SettingName[]): Partial<Settings> {
  const patch: Partial<Settings> = { ...from }
  for (const name of Object.keys(from).filter((key) => !names.some((wanted) => wanted === key))) {
    Reflect.deleteProperty(patch, name)
  }
  return patch
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

function copy<T extends object>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}
