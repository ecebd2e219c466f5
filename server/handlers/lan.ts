import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'

type LanHandlers = Handlers<ApiTable>['lan']

const status: LanHandlers['status'] = ({ deps }) => deps.lan.status()

const makeAuthority: LanHandlers['makeAuthority'] = async ({ deps, actor, record, fail }) => {
  const made = await deps.lan.makeAuthority()
  if (made === 'off') return fail('LAN_OFF')
  if (made === 'own_certificate') return fail('LAN_OWN_CERTIFICATE')
  if (made === 'unwritable') return fail('STORAGE_UNAVAILABLE')
  // Not what the status shows: meanwhile somebody may have switched it off.
  record({ event: 'authority_made', by: actor.user.user_id, fingerprint: made.fingerprint })
  return deps.lan.status()
}

export const lan: LanHandlers = { status, makeAuthority }
