import { computed, onScopeDispose, ref, shallowRef } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'
import type { User } from '../../api/users.ts'
import { runAtMost } from '../run-at-most.ts'
import { useReauth } from '../stores/reauth.ts'

const AT_ONCE = 3

interface Done<T, I> {
  item: I
  data: T
}
interface Failed<I> {
  item: I
  error: Refused
}

/** One act for many, by single calls: how far it is, which are done, which failed and why, which were not begun. */
export function useBulkRun<T, I = User>(act: (item: I) => Promise<Outcome<T>>) {
  const reauth = useReauth()
  const phase = ref<'before' | 'running' | 'over'>('before')
  const done = shallowRef<Done<T, I>[]>([])
  const failed = shallowRef<Failed<I>[]>([])
  const unbegun = shallowRef<I[]>([])
  const total = ref(0)
  const stopping = ref(false)
  const settled = computed(() => done.value.length + failed.value.length)
  /** Those with whom it is still to be done. */
  const remaining = computed(() => [...failed.value.map(({ item }) => item), ...unbegun.value])

  async function run(items: readonly I[]): Promise<void> {
    clear()
    total.value = items.length
    phase.value = 'running'
    const left = await runAtMost(AT_ONCE, items, () => stopping.value, actFor)
    const place = new Map(items.map((item, index) => [item, index]))
    const byPlace = (a: { item: I }, b: { item: I }) => (place.get(a.item) ?? 0) - (place.get(b.item) ?? 0)
    done.value = done.value.toSorted(byPlace)
    failed.value = failed.value.toSorted(byPlace)
    unbegun.value = [...unbegun.value, ...left]
    phase.value = 'over'
  }

  async function actFor(item: I): Promise<void> {
    const outcome = await reauth.around(() => act(item))
    if (outcome.ok) done.value = [...done.value, { item, data: outcome.data }]
    else if (outcome.error.code === 'REAUTH_REQUIRED') {
      // Asked once, and not answered: that is a no to all that was to follow.
      unbegun.value = [...unbegun.value, item]
      stop()
    } else failed.value = [...failed.value, { item, error: outcome.error }]
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

export type BulkRun<T, I = User> = ReturnType<typeof useBulkRun<T, I>>
