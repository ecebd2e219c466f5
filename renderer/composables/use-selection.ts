import { computed, type Ref, ref, watch } from 'vue'
import type { User } from '../../api/users.ts'

/** Users that were picked for an act on all of them. It outlives a search, so that one may be picked after the other. */
export function useSelection(shown: Ref<User[]>, mayPick: (user: User) => boolean) {
  const picked = ref(new Map<number, User>())
  const users = computed(() => [...picked.value.values()])
  const pickable = computed(() => shown.value.filter(mayPick))
  const unseen = computed(() => {
    const ids = new Set(shown.value.map(({ user_id }) => user_id))
    return users.value.filter(({ user_id }) => !ids.has(user_id)).length
  })
  const all = computed(() => pickable.value.length > 0 && pickable.value.every(has))

  /** A list that was loaded anew knows better what they are now. */
  watch(shown, (fresh) => {
    for (const user of fresh) if (has(user)) picked.value.set(user.user_id, user)
  })

  function has({ user_id }: User): boolean {
    return picked.value.has(user_id)
  }

  function toggle(user: User): void {
    if (!picked.value.delete(user.user_id)) picked.value.set(user.user_id, user)
  }

  function toggleAll(): void {
    if (all.value) for (const { user_id } of pickable.value) picked.value.delete(user_id)
    else for (const user of pickable.value) picked.value.set(user.user_id, user)
  }

  function keep(left: readonly User[]): void {
    picked.value = new Map(left.map((user) => [user.user_id, user]))
  }

  function drop({ user_id }: User): void {
    picked.value.delete(user_id)
  }

  return { users, pickable, unseen, all, has, toggle, toggleAll, keep, drop, clear: () => keep([]) }
}

export type Selection = ReturnType<typeof useSelection>
