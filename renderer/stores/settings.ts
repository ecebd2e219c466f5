import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { Settings } from '../../api/settings.ts'
import { client } from '../api.ts'
import { DEFAULT_SETTINGS } from '../setting-rules.ts'

/** The settings as they hold on the server, and which sections of the page differ from them. */
export const useSettings = defineStore('settings', () => {
  const current = ref<Settings>(DEFAULT_SETTINGS)
  const loaded = ref(false)
  const error = shallowRef<Refused>()
  const unsaved = reactive(new Set<string>())

  async function load(): Promise<void> {
    const outcome = await client.settings.read()
    error.value = outcome.ok ? undefined : outcome.error
    if (!outcome.ok) return
    current.value = outcome.data
    loaded.value = true
  }

  async function change(patch: Partial<Settings>) {
    const outcome = await client.settings.change({ body: patch })
    if (outcome.ok) current.value = outcome.data
    return outcome
  }

  /** When the page is left: the next visit asks anew. */
  function reset(): void {
    loaded.value = false
    error.value = undefined
    unsaved.clear()
  }

  return { current, loaded, error, unsaved, isUnsaved: computed(() => unsaved.size > 0), load, change, reset }
})
