import type { ApiTable } from '../../api/index.ts'
import type { Call, Handlers } from '../call.ts'
import { bind, leave } from '../domain/leaving.ts'
import { iso } from '../domain/wire.ts'

type Auth = Handlers<ApiTable>['auth']
type AtMachine = Call<ApiTable['auth']['showPairing'] | ApiTable['auth']['approvePairing']>

const startPairing: Auth['startPairing'] = async (call) => {
  const { deps, body, from, base, actor, fail, tooMany, cookies } = call
  if (!deps.settings().atproto_enabled || deps.provider.reach !== 'loopback') fail('ATPROTO_DISABLED')
  const slow = await deps.pace('start', actor, from)
  if (slow) return tooMany(slow)
  const asked = { handle: body.handle, nonce: bind(deps, cookies), base }
  const { code, expires_at } = await deps.pairing.begin(asked, from)
  return {
    code: `${code.slice(0, 4)}-${code.slice(4)}`,
    url: `${deps.loopbackUrl()}/pair#${code}`,
    expires_at: iso(expires_at),
  }
}

/** The pairing with this code; only for who sits at this machine. */
async function waitingWith({ deps, body, from, fail, tooMany }: AtMachine) {
  if (!from.loopback) return fail('PAIRING_ELSEWHERE')
  const slow = await deps.pace('code', undefined, from)
  if (slow) return tooMany(slow)
  return (await deps.pairing.withCode(body.code)) ?? fail('PAIRING_CODE_INVALID')
}

const showPairing: Auth['showPairing'] = async (call) => {
  const { handle, ip, user_agent, expires_at } = await waitingWith(call)
  return { handle, ip, user_agent, expires_at: iso(expires_at) }
}

const approvePairing: Auth['approvePairing'] = async (call) => {
  const { pairing_id, handle, ip } = await waitingWith(call)
  const auth_url = await leave(call, { kind: 'sign_in', actor: undefined, handle, pairing_id })
  if (!(await call.deps.pairing.approve(pairing_id))) call.fail('PAIRING_CODE_INVALID')
  call.record({ event: 'pairing_approved', waiting_ip: ip })
  return { auth_url }
}

const claimPairing: Auth['claimPairing'] = async ({ deps, cookies, fail }) =>
  (await deps.pairing.claim(cookies.flow())) ?? fail('PAIRING_CODE_INVALID')

const cancelPairing: Auth['cancelPairing'] = async ({ deps, cookies }) => {
  await deps.pairing.cancel(cookies.flow())
  return {}
}

export const pairing = { startPairing, showPairing, approvePairing, claimPairing, cancelPairing }
