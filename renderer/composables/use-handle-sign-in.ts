import { computed } from 'vue'
import { client } from '../api.ts'
import { desktopApp } from '../desktop.ts'
import { plainHandle } from '../handles.ts'
import { useSession } from '../stores/session.ts'
import { noteTried } from '../used-handles.ts'
import { useAuthorization } from './use-authorization.ts'
import { useLeaving } from './use-leaving.ts'
import type { SignIn } from './use-sign-in.ts'

/** From a handle to the account's provider: at once, as a further account, or by a pairing where only this can be. */
export function useHandleSignIn(signIn: SignIn, adding: boolean) {
  const session = useSession()
  const { leaving, leave } = useLeaving()
  const add = useAuthorization(() => client.auth.startAddAccount({ body: { handle: signIn.handle.value } }), {
    fields: { HANDLE_UNRESOLVED: 'handle' },
  })
  // The window of the desktop app shows no provider either: that is the browser's.
  const pairing = computed(() => (session.status?.atproto_pairing ?? false) || desktopApp() !== undefined)
  const action = { ...add, busy: computed(() => add.busy.value || leaving.value) }

  async function submit(): Promise<boolean> {
    signIn.refused.clear()
    signIn.handle.value = plainHandle(signIn.handle.value)
    noteTried({ handle: signIn.handle.value, returnUrl: signIn.returnUrl })
    if (pairing.value) signIn.pair()
    else if (adding) return add.go()
    else leave(address())
    return true
  }

  function address(): string {
    const { handle, returnUrl } = signIn
    return client.auth.start({ query: { handle: handle.value, ...(returnUrl ? { return_to: returnUrl } : {}) } })
  }

  return { action, pairing, submit }
}
