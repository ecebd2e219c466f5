import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { ErrorCode } from '../../api/errors.ts'
import { client } from '../api.ts'

const FIRST_WAIT = 500
const LONGEST_WAIT = 5_000

/** Whether the server answers. Once lost, it is asked again and again until it does. */
export const useConnection = defineStore('connection', () => {
  const down = ref(false)
  const reason = ref<ErrorCode>('UNREACHABLE')
  let recovery: Promise<void> | undefined

  /** Call it when no answer came; it resolves when the server is back. */
  function lost(code: ErrorCode = 'UNREACHABLE'): Promise<void> {
    reason.value = code
    down.value = true
    recovery ??= untilHealthy().finally(() => {
      recovery = undefined
      down.value = false
    })
    return recovery
  }

  async function untilHealthy(): Promise<void> {
    for (let wait = FIRST_WAIT; ; wait = Math.min(wait * 1.6, LONGEST_WAIT)) {
      await pause(wait)
      const outcome = await client.system.health()
      if (outcome.ok) return
      reason.value = outcome.error.code
    }
  }

  return { down, reason, lost }
})

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
