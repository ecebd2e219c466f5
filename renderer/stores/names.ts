import { defineStore } from 'pinia'
import { reactive } from 'vue'
import type { User } from '../../api/users.ts'
import { client } from '../api.ts'

/** User names by id, for where only the id is known: learnt from the lists for nothing, else asked for once. */
export const useNames = defineStore('names', () => {
  const names = reactive(new Map<number, string>())
  const asked = new Set<number>()

  function learn(users: readonly User[]): void {
    for (const { user_id, username } of users) names.set(user_id, username)
    for (const { manager_id } of users) if (manager_id !== null) void ask(manager_id)
  }

  async function ask(user_id: number): Promise<void> {
    if (names.has(user_id) || asked.has(user_id)) return
    asked.add(user_id)
    const outcome = await client.users.read({ params: { id: String(user_id) } })
    if (outcome.ok) names.set(user_id, outcome.data.username)
    else asked.delete(user_id)
  }

  /** Who it is; until that is known, the number. */
  function nameOf(user_id: number): string {
    return names.get(user_id) ?? `#${user_id}`
  }

  function reset(): void {
    names.clear()
    asked.clear()
  }

  return { learn, nameOf, reset }
})
