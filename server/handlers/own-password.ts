import type { DataOf } from '../../api/errors.ts'
import type { Actor } from '../domain/sessions.ts'
import type { Call } from './call.ts'

type OwnPasswordCode = 'PASSWORD_UNACCEPTABLE' | 'PASSWORD_UNCHANGED' | 'TEMP_PASSWORD_EXPIRED'

/** The part of a call that checking a new password needs; any entry that lists its codes has it. */
interface PasswordCall extends Pick<Call, 'deps'> {
  fail: <C extends OwnPasswordCode>(...args: DataOf<C> extends undefined ? [code: C] : [code: C, data: DataOf<C>]) => never
}

/** Ends the request with the reason why this cannot be the caller's next password, if there is one. */
export async function checkPassword({ deps, fail }: PasswordCall, actor: Actor, chosen: string): Promise<void> {
  const fault = await deps.ownPassword.check(actor, chosen)
  if (!fault) return
  if ('reason' in fault) fail(fault.refused, { reason: fault.reason })
  else fail(fault.refused)
}
