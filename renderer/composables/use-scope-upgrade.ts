import { computed, shallowRef } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { missingScopes } from '../scope-text.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useAuthorization } from './use-authorization.ts'
import type { SignIn } from './use-sign-in.ts'

type Grant = Answered<ApiTable['auth']['grant']>

/** What the provider has to confirm, and the way there. Nothing of it happens by itself, so that nobody is sent in circles. */
export function useScopeUpgrade(signIn: SignIn) {
  const session = useSession()
  const grant = shallowRef<Grant>()
  const look = useAction(() => client.auth.grant())
  const ask = useAuthorization((scopes: string[]) =>
    client.auth.startScopeUpgrade({
      body: { scopes, ...(signIn.returnUrl ? { redirect_to: signIn.returnUrl } : {}) },
    }),
  )
  const action = { ...ask, busy: computed(() => ask.busy.value || look.busy.value) }
  const handle = computed(() => grant.value?.handle ?? session.me?.handle ?? session.me?.username ?? '')
  const missing = computed(() => missingScopes(grant.value?.required_scopes ?? [], grant.value?.scopes ?? []))
  const gone = computed(() => grant.value?.state === 'needs_sign_in')

  async function load(): Promise<void> {
    const outcome = await look.run()
    if (outcome.ok) grant.value = outcome.data
  }

  async function submit(): Promise<boolean> {
    signIn.refused.clear()
    if (session.status?.atproto_pairing) return pair()
    return ask.go(grant.value?.required_scopes ?? [])
  }

  /** Where only a pairing can do it, he signs in anew by one: what is required is asked for then. */
  function pair(): boolean {
    signIn.handle.value = grant.value?.handle ?? grant.value?.did ?? session.me?.handle ?? session.me?.did ?? ''
    signIn.pair()
    return true
  }

  return { grant, look, action, handle, missing, gone, load, submit }
}
