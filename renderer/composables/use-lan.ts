import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { LanStatus } from '../../api/lan.ts'
import { client } from '../api.ts'
import { useAction } from './use-action.ts'

/** While somebody sets a device up: soon enough to see its check mark appear. Milliseconds. */
const LOOK_AGAIN = 4000

/** Whether and how other machines reach us; asked again and again while `watching` is true. */
export function useLan() {
  const status = shallowRef<LanStatus>()
  const error = shallowRef<Refused>()
  const watching = ref(false)

  async function load(): Promise<void> {
    const outcome = await client.lan.status()
    error.value = outcome.ok ? undefined : outcome.error
    if (outcome.ok) status.value = outcome.data
  }

  const remake = useAction(async () => {
    const outcome = await client.lan.makeAuthority()
    if (outcome.ok) status.value = outcome.data
    return outcome
  })

  let timer: ReturnType<typeof setInterval> | undefined
  const stop = () => clearInterval(timer)
  watch(watching, (is) => {
    stop()
    if (is) timer = setInterval(() => document.hidden || void load(), LOOK_AGAIN)
  })
  onScopeDispose(stop)

  return { status, error, watching, load, remake }
}
