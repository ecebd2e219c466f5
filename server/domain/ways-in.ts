import type { LastWayIn as Refused } from '../../api/errors.ts'
import type { LastWayIn } from '../storage/port/ways-in.ts'
import type { Actor } from './sessions.ts'

/** What a refusal says when no administrator would have a proven way in any more; who that is, only superusers are told. */
export function lastWayIn({ last_way_in }: LastWayIn, { user }: Actor): Refused {
  return user.superuser ? { whose: 'administrators', left: last_way_in } : { whose: 'others', left: [] }
}

/** Whether a change was refused because it would have taken the last proven way in. */
export function isLastWayIn(outcome: unknown): outcome is LastWayIn {
  return typeof outcome === 'object' && outcome !== null && 'last_way_in' in outcome
}
