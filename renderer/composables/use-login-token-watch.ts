import { computed, type Ref, shallowRef } from 'vue'
import type { LoginToken } from '../../api/login-tokens.ts'
import { client } from '../api.ts'
import { useChanges } from './use-changes.ts'
import { useLoginTokenState } from './use-login-token-state.ts'

/** What becomes of one login token while it is looked at: used, revoked, or its time is over. */
export function useLoginTokenWatch(token: Ref<LoginToken | undefined>) {
  const { secondsLeft, stateOf } = useLoginTokenState()
  const latest = shallowRef<LoginToken>()
  const seen = computed(() => (latest.value?.uuid === token.value?.uuid ? latest.value : undefined) ?? token.value)
  const state = computed(() => seen.value && stateOf(seen.value))
  const seconds = computed(() => (token.value ? secondsLeft(token.value) : 0))

  async function look(): Promise<void> {
    if (!token.value || state.value === 'used' || state.value === 'revoked') return
    const { uuid } = token.value
    const outcome = await client.loginTokens.read({ params: { uuid }, query: { with_trashed: 'true' } })
    if (outcome.ok && outcome.data.uuid === token.value?.uuid) latest.value = outcome.data
  }

  useChanges(['login_tokens'], look, () => token.value !== undefined)
  return { seen, state, seconds }
}
