import type { Attempts, Refusal } from './attempts.ts'
import type { RecordEvent } from './events.ts'
import type { Actor, Origin } from './sessions.ts'
import type { SecondFactor } from './totp.ts'

type Unconfirmed = 'TOTP_CODE_WRONG' | 'TOTP_ALREADY_ENABLED' | 'TOTP_NOT_ENABLED'

/** Proves a code of the app being enrolled, and answers the recovery codes; a wrong one counts like a failed sign-in. */
export async function confirmEnrolment(
  { attempts, secondFactor }: { attempts: Attempts; secondFactor: SecondFactor },
  { user }: Actor,
  code: string,
  from: Origin,
  record: RecordEvent,
): Promise<string[] | Unconfirmed | Refusal> {
  const codes = await attempts.attempt<string[] | Unconfirmed>({ from, username: user.username }, async () => {
    const value = await secondFactor.confirm(user, code)
    return { outcome: value === 'TOTP_CODE_WRONG' ? 'failed' : 'open', value }
  })
  if (Array.isArray(codes)) record({ event: 'second_factor_enabled', user_id: user.user_id })
  return codes
}
