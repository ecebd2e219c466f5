import type { Factor } from '../../api/schemas.ts'
import type { Storage } from '../storage/port.ts'
import type { Attempts, Refusal } from './attempts.ts'
import type { RecordEvent } from './events.ts'
import type { Actor, Origin } from './sessions.ts'
import { proveAgain } from './proof.ts'
import type { SecondFactor } from './totp.ts'

type Unconfirmed = 'TOTP_CODE_WRONG' | 'TOTP_ALREADY_ENABLED' | 'TOTP_NOT_ENABLED'

/**
 * Proves a code of the app being enrolled, and answers the recovery codes; a wrong one counts like a failed sign-in. The
 * session has proved the new factor with it, so that it is not asked for at once.
 */
export async function confirmEnrolment(
  { storage, attempts, secondFactor }: { storage: Storage; attempts: Attempts; secondFactor: SecondFactor },
  actor: Actor,
  code: string,
  from: Origin,
  record: RecordEvent,
): Promise<string[] | Unconfirmed | Refusal> {
  const { user, session } = actor
  const codes = await proveAgain<string[] | Unconfirmed>(attempts, actor, from, record, async () => {
    const value = await secondFactor.confirm(user, code)
    return { outcome: value === 'TOTP_CODE_WRONG' ? 'failed' : 'open', value }
  })
  if (codes === 'TOTP_CODE_WRONG') record({ event: 'reauthentication_refused', user_id: user.user_id })
  if (!Array.isArray(codes)) return codes
  await storage.sessions.addFactor(session.session_id, 'otp')
  record({ event: 'second_factor_enabled', user_id: user.user_id })
  return codes
}

/** The caller as he is once `confirmEnrolment` has succeeded. */
export function afterEnrolment({ user, session }: Actor): Actor {
  return { user, session: { ...session, amr: [...new Set<Factor>([...session.amr, 'otp'])] } }
}
