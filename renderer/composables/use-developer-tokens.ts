import { ref, shallowRef } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { DeveloperToken } from '../../api/developer-tokens.ts'
import { client } from '../api.ts'
import { useAction } from './use-action.ts'

/** One's own developer tokens, and how to revoke one. */
export function useDeveloperTokens() {
  const tokens = ref<DeveloperToken[]>([])
  const loaded = ref(false)
  const error = shallowRef<Refused>()
  const revoke = useAction((prefix: string) => client.auth.revokeDeveloperToken({ params: { token_prefix: prefix } }))

  let asked = 0
  /** An answer that a later question has overtaken is dropped: it may show what is gone since. */
  async function load(): Promise<void> {
    const turn = ++asked
    const outcome = await client.auth.developerTokens()
    if (turn !== asked) return
    error.value = outcome.ok ? undefined : outcome.error
    if (!outcome.ok) return
    tokens.value = outcome.data.tokens
    loaded.value = true
  }

  return { tokens, loaded, error, revoke, load }
}
