import { ref, shallowRef } from 'vue'
import type { Refused } from '../../api/client.ts'
import type { Answered } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useAction } from './use-action.ts'

type Session = Answered<ApiTable['users']['sessions']>['sessions'][number]

/** Where one user is signed in, for those who administer him. */
export function useUserSessions(id: () => string) {
  const sessions = ref<Session[]>([])
  const loaded = ref(false)
  const error = shallowRef<Refused>()
  const ending = ref('')
  const end = useAction((session_id: string) => client.users.revokeSession({ params: { id: id(), session_id } }))
  const endAll = useAction(() => client.users.revokeSessions({ params: { id: id() } }))

  let asked = 0
  async function load(): Promise<void> {
    const turn = ++asked
    const outcome = await client.users.sessions({ params: { id: id() } })
    if (turn !== asked) return
    loaded.value = true
    error.value = outcome.ok ? undefined : outcome.error
    if (outcome.ok) sessions.value = outcome.data.sessions
  }

  /** Another user: nothing of the one before is shown. */
  async function begin(): Promise<void> {
    sessions.value = []
    loaded.value = false
    end.clear()
    endAll.clear()
    await load()
  }

  async function endOne(session_id: string): Promise<void> {
    ending.value = session_id
    await end.run(session_id)
    await load()
  }

  async function endEvery(): Promise<boolean> {
    const { ok } = await endAll.run()
    await load()
    return ok
  }

  return { sessions, loaded, error, ending, end, endAll, begin, load, endOne, endEvery }
}
