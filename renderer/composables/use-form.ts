import { computed, ref, type Ref } from 'vue'
import type { Outcome } from '../../api/client.ts'
import type { Action } from './use-action.ts'
import { focusFault } from './use-focus.ts'

type Checks = Record<string, () => string | undefined>

/** A form's own checks joined with the server's faults; after a refusal the focus goes to the first fault. */
export function useForm(holder: Ref<HTMLElement | null>, action: Action, checks: Checks = {}) {
  const tried = ref(false)

  const own = computed(() => (tried.value ? faultsOf(checks) : {}))

  function error(field: string): string | undefined {
    return own.value[field] ?? action.fieldErrors.value[field]
  }

  async function submit(run: () => Promise<Outcome<unknown> | boolean>): Promise<void> {
    if (action.busy.value || action.waiting.value) return
    tried.value = true
    const sound = Object.keys(own.value).length === 0
    const outcome = sound ? await run() : false
    const succeeded = typeof outcome === 'boolean' ? outcome : outcome.ok
    if (succeeded) tried.value = false
    else await focusFault(holder)
  }

  return { error, submit }
}

function faultsOf(checks: Checks): Record<string, string> {
  const faults: Record<string, string> = {}
  for (const [field, check] of Object.entries(checks)) {
    const fault = check()
    if (fault !== undefined) faults[field] = fault
  }
  return faults
}
