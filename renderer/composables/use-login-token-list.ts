import { computed, ref, watch } from 'vue'
import type { Arguments } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import type { LoginToken, LoginTokenState } from '../../api/login-tokens.ts'
import { client } from '../api.ts'
import { useChanges } from './use-changes.ts'
import { useLoginTokenState } from './use-login-token-state.ts'
import { usePagedList } from './use-paged-list.ts'

type Query = NonNullable<Arguments<ApiTable['loginTokens']['list']>['query']>
export type LoginTokenFilter = LoginTokenState | 'all'

export const LOGIN_TOKEN_FILTERS = [
  'active',
  'used',
  'revoked',
  'expired',
  'all',
] as const satisfies readonly LoginTokenFilter[]

/** The login tokens as filtered, the newest first; it follows by itself what happens to them. */
export function useLoginTokenList() {
  const state = ref<LoginTokenFilter>('active')
  const whom = ref<number | null>(null)
  const maker = ref<number | null>(null)
  const { stateOf } = useLoginTokenState()
  const list = usePagedList<LoginToken>((cursor, signal) =>
    client.loginTokens.list({ query: query(cursor) }, { signal }),
  )
  const { items } = list

  function query(cursor: string | undefined): Query {
    return {
      limit: '50',
      ...(state.value === 'all' ? { with_trashed: 'true' } : { status: state.value }),
      ...(whom.value === null ? {} : { login_user_id: String(whom.value) }),
      ...(maker.value === null ? {} : { user_id: String(maker.value) }),
      ...(cursor === undefined ? {} : { cursor }),
    }
  }

  /** Time alone ends them too, and nobody says so. */
  const ended = computed(() =>
    items.value
      .filter((token) => token.status !== stateOf(token))
      .map(({ uuid }) => uuid)
      .join(),
  )
  watch(ended, (uuids) => {
    if (uuids) void list.refresh()
  })
  const active = computed(() => {
    const over = new Set(ended.value.split(','))
    return new Set(items.value.filter(({ status, uuid }) => status === 'active' && !over.has(uuid)))
  })

  watch([state, whom, maker], list.reload)
  useChanges(['login_tokens'], list.refresh)
  void list.reload()

  const filtered = computed(() => state.value !== 'active' || whom.value !== null || maker.value !== null)
  return { state, whom, maker, filtered, isActive: (token: LoginToken) => active.value.has(token), ...list }
}

export type LoginTokenList = ReturnType<typeof useLoginTokenList>
