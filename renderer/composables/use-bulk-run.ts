import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'
import type { User } from '../../api/users.ts'
import { runAtMost } from '../run-at-most.ts'
import { useReauth } from '../stores/reauth.ts'

const AT_ONCE = 3

interface Done<T> {
  user: User
  data: T
}
interface Failed {
  user: User
  error: Refused
}

/** One act for many users, by single calls: how far it is, who is done, who failed and why, who was not begun. */
export function useBulkRun<T>(act: (user: User) => Promise<Outcome<T>>) {
  const reauth = useReauth()
  const phase = ref<'before' | 'running' | 'over'>('before')
  const done = shallowRef<Done<T>[]>([])
  const failed = shallowRef<Failed[]>([])
  const unbegun = shallowRef<User[]>([])
  const total = ref(0)
  const stopping = ref(false)
  const settled = computed(() => done.value.length + failed.value.length)
  /** Those for whom it is still to be done. */
  const remaining = computed(() => [...failed.value.map(({ user }) => user), ...unbegun.value])

  async function run(users: readonly User[]): Promise<void> {
    clear()
    total.value = users.length
    phase.value = 'running'
    const left = await runAtMost(AT_ONCE, users, () => stopping.value, actFor)
    const place = new Map(users.map(({ user_id }, index) => [user_id, index]))
    const byPlace = (a: { user: User }, b: { user: User }) =>
      (place.get(a.user.user_id) ?? 0) - (place.get(b.user.user_id) ?? 0)
    done.value = done.value.toSorted(byPlace)
    failed.value = failed.value.toSorted(byPlace)
    unbegun.value = [...unbegun.value, ...left]
    phase.value = 'over'
  }

  async function actFor(user: User): Promise<void> {
    const outcome = await reauth.around(() => act(user))
    if (outcome.ok) done.value = [...done.value, { user, data: outcome.data }]
    else if (outcome.error.code === 'REAUTH_REQUIRED') {
      // Asked once, and not answered: that is a no to all that was to follow.
      unbegun.value = [...unbegun.value, user]
      stop()
    } else failed.value = [...failed.value, { user, error: outcome.error }]
  }

  function stop(): void {
    stopping.value = true
  }

  /** Forgets everything, secrets first of all. */
  function clear(): void {
    phase.value = 'before'
    done.value = []
    failed.value = []
    unbegun.value = []
    total.value = 0
    stopping.value = false
  }

  onScopeDispose(stop)
  return { phase, done, failed, unbegun, remaining, total, settled, stopping, run, stop, clear }
}

export type BulkRun<T> = ReturnType<typeof useBulkRun<T>>
