import { computed, ref } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { hostsOf } from '../handles.ts'

export type PdsOption = Answered<ApiTable['auth']['pdsOptions']>['options'][number]

/** The providers on offer. Without an answer there are none: a handle can be typed all the same. */
export function usePdsOptions() {
  const options = ref<readonly PdsOption[]>([])
  const answered = ref(false)

  async function load(): Promise<void> {
    const outcome = await client.auth.pdsOptions()
    if (outcome.ok) options.value = outcome.data.options
    answered.value = true
  }

  void load()
  return { options, answered, hosts: computed(() => hostsOf(options.value)) }
}
