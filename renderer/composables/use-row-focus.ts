import { nextTick, type Ref, watch } from 'vue'

/** A row that goes does not take the focus with it: it moves on to the row that now stands in its place. */
export function useRowFocus(table: Ref<HTMLTableElement | null>, rows: () => unknown): void {
  watch(rows, async () => {
    const row = document.activeElement?.closest('tr')
    if (!row || !table.value?.contains(row)) return
    const place = row.rowIndex
    await nextTick()
    if (row.isConnected) return
    const body = table.value?.tBodies[0]?.rows ?? []
    const next = body[Math.min(place - 1, body.length - 1)]
    const target = next?.querySelector<HTMLElement>('button, input') ?? document.querySelector<HTMLElement>('main')
    target?.focus()
  })
}
