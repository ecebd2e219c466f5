import { onScopeDispose, ref, shallowRef, watch } from 'vue'
import type { Refused } from '../../api/client.ts'
import { client } from '../api.ts'
import { type Bar, barsOf, fillBars, type Range } from '../audit-bars.ts'
import { useChanges } from './use-changes.ts'

/** Milliseconds. The chart need not run after each entry of a busy hour. */
const PAUSE = 3_000

/** Sign-ins and refusals over a range that ends now. */
export function useAuditActivity() {
  const range = ref<Range>('day')
  const bars = shallowRef<Bar[]>([])
  const error = shallowRef<Refused>()
  let pending = new AbortController()
  let soon: ReturnType<typeof setTimeout> | undefined

  async function load(): Promise<void> {
    clearTimeout(soon)
    soon = undefined
    pending.abort()
    const { signal } = (pending = new AbortController())
    const empty = barsOf(range.value, Date.now())
    const [from, to] = [empty[0]?.from ?? 0, empty.at(-1)?.to ?? 0].map((time) => new Date(time).toISOString())
    if (from === undefined || to === undefined) return
    const outcome = await client.audit.activity({ query: { from, to } }, { signal })
    if (signal.aborted) return
    error.value = outcome.ok ? undefined : outcome.error
    if (outcome.ok) bars.value = fillBars(empty, outcome.data.hours)
  }

  watch(range, load)
  useChanges(['audit'], () => {
    soon ??= setTimeout(load, PAUSE)
  })
  onScopeDispose(() => clearTimeout(soon))
  void load()

  return { range, bars, error, load }
}
