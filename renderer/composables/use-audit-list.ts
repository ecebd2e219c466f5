import { computed, type ComputedRef, shallowRef, watch } from 'vue'
import type { AuditEntry } from '../../api/audit.ts'
import { client } from '../api.ts'
import type { AuditFilter } from './use-audit-filter.ts'
import { useChanges } from './use-changes.ts'
import { usePagedList } from './use-paged-list.ts'

const AT_ONCE = 50

/** The entries that a filter selects, the newest first. New ones are counted, and shown when they are asked for. */
export function useAuditList(filter: ComputedRef<AuditFilter>) {
  const list = usePagedList<AuditEntry>((cursor, signal) =>
    client.audit.list({ query: { ...page(), ...(cursor === undefined ? {} : { cursor }) } }, { signal }),
  )
  const { items, loaded } = list
  /** The newest entries there are, by their places. */
  const newest = shallowRef<number[]>([])
  const fresh = computed(() => newest.value.filter((seq) => seq > (items.value[0]?.seq ?? 0)).length)
  const freshExact = computed(() => fresh.value < AT_ONCE)
  const page = () => ({ ...filter.value, limit: String(AT_ONCE) })

  async function look(): Promise<void> {
    if (!loaded.value) return
    const asked = filter.value
    const outcome = await client.audit.list({ query: page() })
    if (outcome.ok && filter.value === asked) newest.value = outcome.data.items.map(({ seq }) => seq)
  }

  watch(filter, (now, before) => {
    if (JSON.stringify(now) === JSON.stringify(before)) return
    newest.value = []
    void list.reload()
  })
  useChanges(['audit'], look)
  void list.reload()

  return { fresh, freshExact, ...list }
}

export type AuditList = ReturnType<typeof useAuditList>
