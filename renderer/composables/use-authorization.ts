import { computed } from 'vue'
import type { Outcome } from '../../api/client.ts'
import { useAction } from './use-action.ts'
import { useLeaving } from './use-leaving.ts'

/** An act that begins here and goes on at the provider of an account. Busy until the browser has gone there. */
export function useAuthorization<Args extends readonly unknown[], O extends Outcome<{ auth_url: string }>>(
  call: (...args: Args) => Promise<O>,
  options: Parameters<typeof useAction>[1] = {},
) {
  const action = useAction(call, options)
  const { leaving, leaveFor } = useLeaving()

  async function go(...args: Args): Promise<boolean> {
    const outcome = await action.run(...args)
    if (outcome.ok) leaveFor(outcome.data.auth_url)
    return outcome.ok
  }

  return { ...action, busy: computed(() => action.busy.value || leaving.value), go }
}
