import type { ApiTable } from '../../api/index.ts'
import { confirmEnrolment } from '../domain/enrolment.ts'
import { proveAgain } from '../domain/proof.ts'
import { isRefusal } from '../domain/sign-in.ts'
import type { Call, Handlers } from '../call.ts'

type Auth = Handlers<ApiTable>['auth']
type TotpEntry = ApiTable['auth']['totpDisable'] | ApiTable['auth']['totpRecovery']

const totpSetup: Auth['totpSetup'] = async ({ deps, actor, fail }) => {
  return (await deps.secondFactor.begin(actor.user)) ?? fail('TOTP_ALREADY_ENABLED')
}

const totpConfirm: Auth['totpConfirm'] = async ({ deps, actor, body, from, record, fail, tooMany }) => {
  const codes = await confirmEnrolment(deps, actor, body.code, from, record)
  if (isRefusal(codes)) return tooMany(codes)
  if (typeof codes === 'string') return fail(codes)
  return { recovery_codes: codes }
}

const totpDisable: Auth['totpDisable'] = async (call) => {
  const { deps, actor, record, fail } = call
  if (actor.session.kind !== 'temporary') await proveCode(call)
  if (!(await deps.storage.users.removeTotp(actor.user.user_id))) fail('TOTP_NOT_ENABLED')
  record({ event: 'second_factor_disabled', user_id: actor.user.user_id })
  return {}
}

const totpRecovery: Auth['totpRecovery'] = async (call) => {
  await proveCode(call)
  const recovery_codes = await call.deps.secondFactor.replaceRecoveryCodes(call.actor.user.user_id)
  call.record({ event: 'recovery_codes_replaced', user_id: call.actor.user.user_id })
  return { recovery_codes }
}

/** A code of the app, or a recovery code; a wrong one counts like a failed sign-in. */
async function proveCode({ deps, actor, body, from, record, fail, tooMany }: Call<TotpEntry>): Promise<void> {
  const { user_id } = actor.user
  if (actor.user.totp_confirmed_at === null) fail('TOTP_NOT_ENABLED')
  const right = await proveAgain<boolean>(deps.attempts, actor, from, record, async () => {
    const factor = await deps.secondFactor.redeem(actor.user, body.code ?? '')
    if (factor === 'recovery') record({ event: 'recovery_code_used', user_id })
    return { outcome: factor ? 'succeeded' : 'failed', value: factor !== undefined }
  })
  if (isRefusal(right)) return tooMany(right)
  if (right) return
  record({ event: 'reauthentication_refused', user_id })
  fail('TOTP_CODE_WRONG')
}

export const secondFactor = { totpSetup, totpConfirm, totpDisable, totpRecovery }
