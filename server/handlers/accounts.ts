import type { ApiTable } from '../../api/index.ts'
import type { FlowKind } from '../storage/port/atproto.ts'
import type { Handlers } from '../call.ts'
import type { FlowEnd } from '../domain/flows.ts'
import { createsAccounts, identify, leave } from '../domain/leaving.ts'
import { isOwnAddress, isOwnPage } from '../domain/redirects.ts'
import { browserOf } from '../domain/sessions.ts'
import { membersOf, roomInGroup, switchAccount } from '../domain/session-group.ts'
import { isLastWayIn, lastWayIn } from '../domain/ways-in.ts'
import { iso } from '../domain/wire.ts'

type Auth = Handlers<ApiTable>['auth']

const pdsOptions: Auth['pdsOptions'] = ({ deps }) => {
  const { atproto_pds_options } = deps.settings()
  return { enabled: createsAccounts(deps), options: atproto_pds_options }
}

const start: Auth['start'] = async (call) => {
  const { deps, query, fail } = call
  const { handle, pds_url, return_to } = query
  if ((handle === undefined) === (pds_url === undefined)) fail('START_PARAMETERS')
  if (pds_url !== undefined && !createsAccounts(deps)) fail('ACCOUNT_CREATION_DISABLED')
  const offered = deps.settings().atproto_pds_options.map(({ url }) => url)
  if (pds_url !== undefined && !offered.includes(pds_url.replace(/\/$/, ''))) fail('PDS_NOT_OFFERED')
  if (return_to !== undefined && !isOwnPage(return_to)) fail('START_PARAMETERS')
  const location = await leave(call, { kind: 'sign_in', actor: undefined, handle, pds_url, return_to })
  return { location, status: 302 }
}

const callback: Auth['callback'] = async ({ deps, query, base, record, cookies }) => {
  const answer = new URLSearchParams(
    Object.entries(query).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  )
  const came = await deps.flows.finish(answer, cookies.flow(), base, record)
  if ('elsewhere' in came && isOwnAddress(came.elsewhere, deps.loopbackUrl()))
    return { location: `${came.elsewhere}/api/auth/callback?${answer.toString()}`, status: 303 }
  const end = 'elsewhere' in came ? { refused: 'FLOW_FOREIGN_BROWSER' as const, pairing_id: null } : came
  if ('refused' in end) record({ event: 'sign_in_refused', auth_source: 'atproto', reason: end.refused })
  if (end.pairing_id !== null) await deps.pairing.finish(end.pairing_id, end)
  return { location: pageOf(end), status: 303 }
}

const PAGES: Record<FlowKind, string> = {
  developer_token: '/settings/developer-tokens',
  scope_upgrade: '/settings/scopes',
  link_account: '/settings/linked',
  add_account: '/portal',
  sign_in: '/portal',
}

function pageOf(end: Exclude<FlowEnd, { elsewhere: string }>): string {
  const page = end.pairing_id === null ? undefined : '/pair/done'
  if ('refused' in end) return `${page ?? '/login'}#auth_error=${end.refused}`
  return page ?? `${end.isNew ? '/profile/setup' : PAGES[end.kind]}#exchange_token=${end.exchange_token}`
}

const exchange: Auth['exchange'] = async (call) => {
  const { deps, body, actor, from, record, fail, tooMany, cookies, deviceSecret } = call
  const slow = await deps.pace('exchange', actor, from)
  if (slow) return tooMany(slow)
  if (!deps.settings().atproto_enabled) fail('ATPROTO_DISABLED')
  const browser = { current: browserOf(actor), nonce: cookies.flow(), device_secret: deviceSecret() }
  const exchanged = await deps.exchange(body.exchange_token, { from, record, ...browser })
  if (typeof exchanged === 'string') return fail(exchanged)
  const { user_id, username } = exchanged.user
  if (exchanged.kind === 'developer_token') {
    const { token, prefix, name, expires_at, stops_working_on } = exchanged
    return {
      session_id: token,
      user_id,
      username,
      developer_token: { prefix, name, expires_at: iso(expires_at), stops_working_on: iso(stops_working_on) },
    }
  }
  const redirect_to = exchanged.return_to ?? undefined
  const answer = { session_id: exchanged.session_id, user_id, username, redirect_to }
  if (exchanged.kind === 'linked') return answer
  if (body.client === 'cli') return { ...answer, session_id: exchanged.issued.token }
  cookies.setSession(exchanged.issued)
  return answer
}

const switchTo: Auth['switchAccount'] = async ({ deps, actor, body, record, fail, cookies }) => {
  const { target_did, target_user_id } = body
  // What is given as a DID is never taken for a user id.
  if (target_did !== undefined && !target_did.startsWith('did:')) fail('SWITCH_TARGET_INVALID')
  const switched = await switchAccount(deps, actor, target_did ?? String(target_user_id))
  if (!switched) return fail('SWITCH_TARGET_INVALID')
  const { user_id, username, did, handle } = switched.user
  record({ event: 'account_switched', user_id: actor.user.user_id, to: user_id })
  cookies.setSession(switched.issued)
  return { user_id, username, did, handle }
}

const logoutAll: Auth['logoutAll'] = async ({ deps, actor, record, cookies }) => {
  const { group_id, session_id } = actor.session
  const now = deps.clock()
  const ended =
    group_id === null
      ? Number(await deps.storage.sessions.revoke(session_id, actor.user.user_id, now))
      : await deps.storage.sessions.revokeGroup(group_id, now)
  record({ event: 'accounts_signed_out', user_id: actor.user.user_id, count: ended })
  cookies.clearSession()
  return { ended }
}

const startAddAccount: Auth['startAddAccount'] = async (call) => {
  const { deps, actor, body, fail } = call
  const identity = await identify(call, body.handle)
  const user = await deps.storage.users.findByDid(identity.did)
  if (user) {
    const members = await membersOf(deps, actor)
    if (user.user_id === actor.user.user_id || members.some((member) => member.user.user_id === user.user_id))
      fail('ACCOUNT_ALREADY_LINKED')
    if ((await roomInGroup(deps, user, actor)) === 'full') fail('TOO_MANY_ACCOUNTS')
  } else if (deps.settings().atproto_sign_up !== 'open') fail('ACCOUNT_NOT_LINKED')
  return { auth_url: await leave(call, { kind: 'add_account', actor, handle: identity.did }) }
}

const startLinkAccount: Auth['startLinkAccount'] = async (call) => {
  const { deps, actor, body, fail } = call
  // A startup token may let somebody back in, not leave a way in behind that nobody notices.
  if (actor.session.kind === 'temporary') fail('ACCESS_DENIED')
  const identity = await identify(call, body.handle)
  const holder = await deps.storage.users.findByDid(identity.did)
  if (holder) fail(holder.user_id === actor.user.user_id ? 'ACCOUNT_ALREADY_LINKED' : 'DID_TAKEN')
  return { auth_url: await leave(call, { kind: 'link_account', actor, handle: identity.did }) }
}

const unlinkAccount: Auth['unlinkAccount'] = async ({ deps, actor, record, fail }) => {
  const { user, session } = actor
  if (user.did === null) return fail('GRANT_ABSENT')
  const { user_id, username, did } = user
  const own = { user_id, username, way: 'atproto' } as const
  if (user.password_hash === null) fail('LAST_WAY_IN', { whose: 'person', left: [own] })
  const unlinked = await deps.storage.users.unlinkDid(user_id, deps.clock(), session.session_id)
  if (!unlinked) return fail('GRANT_ABSENT')
  if (isLastWayIn(unlinked)) return fail('LAST_WAY_IN', lastWayIn(unlinked, actor))
  record({ event: 'atproto_unlinked', user_id, by: user_id, did })
  return {}
}

export const accounts = {
  pdsOptions,
  start,
  callback,
  exchange,
  switchAccount: switchTo,
  logoutAll,
  startAddAccount,
  startLinkAccount,
  unlinkAccount,
}
