import type { Access } from '../../api/access.ts'
import { client } from '../api.ts'
import { useNotices } from '../stores/notices.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useText } from './use-text.ts'

/** Revokes one way in at a press, where nothing is lost by it. */
export function useAccessRevokeOne() {
  const session = useSession()
  const { count } = useText()
  const act = useAction(({ kind, id }: Access) => client.access.revoke({ body: { items: [{ kind, id }] } }))

  /** Somebody is thrown out, or something that works by it stops: that is asked first. */
  function hurts({ kind, user }: Access): boolean {
    return user.user_id !== session.me?.user_id || kind === 'developer_token' || kind === 'startup_token'
  }

  async function revokeOne(access: Access): Promise<boolean> {
    const outcome = await act.run(access)
    const { say } = useNotices()
    if (outcome.ok) say(count('access.revoked', outcome.data.revoked, { amount: outcome.data.revoked }))
    else if (act.text.value) say(act.text.value)
    return outcome.ok
  }

  return { hurts, revokeOne }
}
