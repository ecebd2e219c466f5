import { computed, ref, shallowRef, type Ref } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'

interface Page<T> {
  items: T[]
  next_cursor: string | null
  total: number
}

/** A list that grows page by page. A newer question always wins over a slower older one. */
export function usePagedList<T>(
  fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<Outcome<Page<T>>>,
) {
  const items: Ref<T[]> = shallowRef([])
  const total = ref(0)
  const cursor = ref<string | null>(null)
  const busy = ref(false)
  const loaded = ref(false)
  const error = shallowRef<Refused>()
  let pending = new AbortController()

  async function ask(from: string | undefined, kept: T[]): Promise<void> {
    pending.abort()
    const own = (pending = new AbortController())
    busy.value = true
    const outcome = await fetchPage(from, own.signal)
    if (own.signal.aborted) return
    busy.value = false
    loaded.value = true
    error.value = outcome.ok ? undefined : outcome.error
    if (!outcome.ok) return
    items.value = [...kept, ...outcome.data.items]
    total.value = outcome.data.total
    cursor.value = outcome.data.next_cursor
  }

  const reload = () => ask(undefined, [])
  const more = () => (cursor.value === null ? Promise.resolve() : ask(cursor.value, items.value))

  return { items, total, busy, loaded, error, hasMore: computed(() => cursor.value !== null), reload, more }
}
