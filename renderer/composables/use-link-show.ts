import { shallowRef } from 'vue'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useAction } from './use-action.ts'

export type LinkTarget = Answered<ApiTable['auth']['showLoginToken']>

/** Asks whom the secret of a link would sign in; that does not spend it. */
export function useLinkShow(secret: string) {
  const target = shallowRef<LinkTarget>()
  const show = useAction(() => client.auth.showLoginToken({ body: { login_token: secret } }))

  async function submit(): Promise<boolean> {
    const outcome = await show.run()
    if (outcome.ok) target.value = outcome.data
    return outcome.ok
  }

  return { target, show, submit }
}
