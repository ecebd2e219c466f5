import { computed, shallowRef } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useLeaving } from './use-leaving.ts'
import type { SignIn } from './use-sign-in.ts'

type Grant = Answered<ApiTable['auth']['grant']>

/** What the provider has to confirm, and the way there. Nothing of it happens by itself, so that nobody is sent in circles. */
export function useScopeUpgrade(signIn: SignIn) {
  const session = useSession()
  const { leaving, leaveFor } = useLeaving()
  const grant = shallowRef<Grant>()
  const look = useAction(() => client.auth.grant())
  const ask = useAction((scopes: string[]) =>
    client.auth.startScopeUpgrade({
      body: { scopes, ...(signIn.returnUrl ? { redirect_to: signIn.returnUrl } : {}) },
    }),
  )
  const action = { ...ask, busy: computed(() => ask.busy.value || look.busy.value || leaving.value) }
  const handle = computed(() => grant.value?.handle ?? session.me?.handle ?? session.me?.username ?? '')
  const missing = computed(() => {
    const { scopes = [], required_scopes = [] } = grant.value ?? {}
    return required_scopes.filter((scope) => !scopes.includes(scope))
  })
  const gone = computed(() => grant.value?.state === 'needs_sign_in')

  async function load(): Promise<void> {
    const outcome = await look.run()
    if (outcome.ok) grant.value = outcome.data
  }

  async function submit(): Promise<boolean> {
    signIn.refused.clear()
    if (session.status?.atproto_pairing) return pair()
    const outcome = await ask.run(grant.value?.required_scopes ?? [])
    if (outcome.ok) leaveFor(outcome.data.auth_url)
    return outcome.ok
  }

  /** Where only a pairing can do it, he signs in anew by one: what is required is asked for then. */
  function pair(): boolean {
    signIn.handle.value = grant.value?.handle ?? grant.value?.did ?? session.me?.handle ?? session.me?.did ?? ''
    signIn.pair()
    return true
  }

  return { grant, look, action, handle, missing, gone, load, submit }
}
