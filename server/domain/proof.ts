import type { UserRecord } from '../storage/port.ts'
import type { Attempts, Refusal, TryOutcome } from './attempts.ts'
import type { RecordEvent } from './events.ts'
import type { Actor, Origin } from './sessions.ts'
import { isRefusal } from './sign-in.ts'

/** A password or code that somebody who is signed in proves again: wrong ones count like failed sign-ins. */
export async function proveAgain<T>(
  attempts: Attempts,
  { user }: Actor,
  from: Origin,
  record: RecordEvent,
  run: () => Promise<TryOutcome<T>>,
): Promise<T | Refusal> {
  const proved = await attempts.attempt({ from, username: user.username }, run)
  if (isRefusal(proved)) record({ event: 'limited', scope: 'name', user_id: user.user_id })
  return proved
}

/** Where there is a second factor, a right password clears no count: else the codes could be guessed without end. */
export function outcomeOfPassword({ totp_confirmed_at }: UserRecord): 'succeeded' | 'open' {
  return totp_confirmed_at === null ? 'succeeded' : 'open'
}
