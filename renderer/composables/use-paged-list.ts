import { computed, ref, shallowRef, type Ref } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'

interface Page<T> {
  items: T[]
  next_cursor: string | null
  total: number
  /** False: there are more than `total`. */
  total_exact?: boolean
}

/** A list that grows page by page. A newer question always wins over a slower older one. */
export function usePagedList<T>(
  fetchPage: (cursor: string | undefined, signal: AbortSignal) => Promise<Outcome<Page<T>>>,
) {
  const items: Ref<T[]> = shallowRef([])
  const total = ref(0)
  const totalExact = ref(true)
  const cursor = ref<string | null>(null)
  const busy = ref(false)
  const loaded = ref(false)
  const error = shallowRef<Refused>()
  let pending = new AbortController()
  let refreshing = false
  let stale = false

  async function ask(from: string | undefined, kept: T[]): Promise<void> {
    pending.abort()
    const own = (pending = new AbortController())
    busy.value = true
    const outcome = await fetchPage(from, own.signal)
    if (own.signal.aborted) return
    busy.value = false
    loaded.value = true
    error.value = outcome.ok ? undefined : outcome.error
    if (outcome.ok) show([...kept, ...outcome.data.items], outcome.data)
    if (stale) await refresh()
  }

  /** The same list as it is by now, with at least as many rows, and without a sign of it on the way. */
  async function refresh(): Promise<void> {
    stale = refreshing || busy.value
    if (stale) return
    refreshing = true
    await lookAgain(pending.signal)
    refreshing = false
    if (stale) await refresh()
  }

  async function lookAgain(signal: AbortSignal, before: T[] = [], from?: string): Promise<void> {
    const outcome = await fetchPage(from, signal)
    if (signal.aborted) {
      stale = true
      return
    }
    error.value = outcome.ok ? undefined : outcome.error
    if (!outcome.ok) return
    const rows = [...before, ...outcome.data.items]
    const next = outcome.data.next_cursor
    if (next !== null && rows.length < items.value.length) return lookAgain(signal, rows, next)
    show(rows, outcome.data)
  }

  function show(rows: T[], last: Page<T>): void {
    items.value = rows
    total.value = last.total
    totalExact.value = last.total_exact ?? true
    cursor.value = last.next_cursor
  }

  const reload = () => ask(undefined, [])
  const more = () => (cursor.value === null ? Promise.resolve() : ask(cursor.value, items.value))

  return {
    items,
    total,
    totalExact,
    busy,
    loaded,
    error,
    hasMore: computed(() => cursor.value !== null),
    reload,
    refresh,
    more,
  }
}
