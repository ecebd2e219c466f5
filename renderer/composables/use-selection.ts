import { computed, type Ref, shallowRef, watch } from 'vue'
import type { User } from '../../api/users.ts'

/** What was picked for an act on all of it. It outlives a search, so that one may be picked after the other. */
export function useSelection<T>(shown: Ref<T[]>, mayPick: (item: T) => boolean, keyOf: (item: T) => number | string) {
  const kept = shallowRef<ReadonlyMap<number | string, T>>(new Map())
  const picked = computed(() => [...kept.value.values()])
  const pickable = computed(() => shown.value.filter(mayPick))
  const unseen = computed(() => {
    const keys = new Set(shown.value.map(keyOf))
    return [...kept.value.keys()].filter((key) => !keys.has(key)).length
  })
  const all = computed(() => pickable.value.length > 0 && pickable.value.every(has))

  /** A list that was loaded anew knows better what they are now. */
  watch(shown, (fresh) => {
    const known = fresh.filter(has)
    if (known.length > 0) change(known.filter(mayPick), known)
  })

  function change(added: readonly T[], removed: readonly T[] = []): void {
    const next = new Map(kept.value)
    for (const item of removed) if (!added.includes(item)) next.delete(keyOf(item))
    for (const item of added) next.set(keyOf(item), item)
    kept.value = next
  }

  function has(item: T): boolean {
    return kept.value.has(keyOf(item))
  }

  function toggle(item: T): void {
    if (has(item)) drop(item)
    else change([item])
  }

  function toggleAll(): void {
    if (all.value) change([], pickable.value)
    else change(pickable.value)
  }

  function keep(left: readonly T[]): void {
    kept.value = new Map(left.map((item) => [keyOf(item), item]))
  }

  function drop(item: T): void {
    change([], [item])
  }

  return { picked, pickable, unseen, all, has, toggle, toggleAll, keep, drop, clear: () => keep([]) }
}

export type Selection<T = User> = ReturnType<typeof useSelection<T>>
