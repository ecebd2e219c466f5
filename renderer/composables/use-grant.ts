import { computed, shallowRef, watch } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { missingScopes } from '../scope-text.ts'
import { useNotices } from '../stores/notices.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useAuthorization } from './use-authorization.ts'
import { useText } from './use-text.ts'

export type Grant = Answered<ApiTable['auth']['grant']>

/** What the provider of the ATProto account has granted to this session, where it has one. */
export function useGrant() {
  const { t } = useText()
  const session = useSession()
  const grant = shallowRef<Grant>()
  const error = shallowRef<Refused>()
  const missing = computed(() => missingScopes(grant.value?.required_scopes ?? [], grant.value?.scopes ?? []))
  const check = useAction(() => client.auth.refreshGrant())
  const ask = useAuthorization((scopes: string[]) =>
    client.auth.startScopeUpgrade({ body: { scopes, redirect_to: '/account' } }),
  )

  watch(() => session.me?.auth_source === 'atproto', load, { immediate: true })
  async function load(): Promise<void> {
    grant.value = undefined
    if (session.me?.auth_source !== 'atproto') return
    const outcome = await client.auth.grant()
    if (outcome.ok) grant.value = outcome.data
    error.value = outcome.ok || outcome.error.code === 'GRANT_ABSENT' ? undefined : outcome.error
  }

  async function checkNow(): Promise<void> {
    const outcome = await check.run()
    if (!outcome.ok) return
    grant.value = outcome.data
    if (outcome.data.state === 'live') useNotices().say(t('atprotoAccount.stands'))
  }

  return { grant, error, missing, check, ask, load, checkNow }
}

export type GrantState = ReturnType<typeof useGrant>
