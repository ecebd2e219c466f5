import type { LastWayIn as Refused } from '../../api/errors.ts'
import type { LastWayIn } from '../storage/port/ways-in.ts'

/** What a refusal says when no administrator would have a proven way in any more. */
export function lastWayIn({ last_way_in }: LastWayIn): Refused {
  return { whose: 'administrators', left: last_way_in }
}

/** Whether a change was refused because it would have taken the last proven way in. */
export function isLastWayIn(outcome: unknown): outcome is LastWayIn {
  return typeof outcome === 'object' && outcome !== null && 'last_way_in' in outcome
}
