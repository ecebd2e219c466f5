import type { AuditEntry } from '../api/audit.ts'
import type { Person } from '../api/schemas.ts'

/** Who is named in these entries; of several names of one person the newest. */
export function peopleIn(entries: readonly AuditEntry[]): Person[] {
  const people = new Map<number, Person>()
  for (const { actor_id, actor, target_id, target } of entries.toReversed()) {
    for (const [user_id, username] of [
      [actor_id, actor],
      [target_id, target],
    ] as const) {
      if (user_id !== null && username !== null) people.set(user_id, { user_id, username, display_name: null })
    }
  }
  return [...people.values()]
}
