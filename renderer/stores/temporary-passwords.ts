import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { client } from '../api.ts'

/** Which lives a temporary password may be given, as the settings say; until they are known, as they say at first. */
export const useTemporaryPasswords = defineStore('temporary-passwords', () => {
  const presets = ref([1, 24, 168, -1])
  const defaultHours = ref(24)
  /** From short to long; the one without end is the longest. */
  const choices = computed(() => [...new Set([...presets.value, defaultHours.value])].sort((a, b) => life(a) - life(b)))

  async function load(): Promise<void> {
    const outcome = await client.users.temporaryPasswordOptions()
    if (!outcome.ok) return
    presets.value = outcome.data.presets
    defaultHours.value = outcome.data.default_hours
  }

  return { choices, defaultHours, load }
})

function life(hours: number): number {
  return hours === -1 ? Infinity : hours
}
