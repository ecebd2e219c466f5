import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import type { Deps } from '../deps.ts'
import { endsOf, scopesOf } from '../domain/grants.ts'
import { identify, leave } from '../domain/leaving.ts'
import { isOwnPage } from '../domain/redirects.ts'
import type { Actor } from '../domain/sessions.ts'
import { iso } from '../domain/wire.ts'
import type { GrantRecord } from '../storage/port/atproto.ts'

type Auth = Handlers<ApiTable>['auth']

const startScopeUpgrade: Auth['startScopeUpgrade'] = async (call) => {
  const { deps, actor, body, fail } = call
  const { did } = actor.user
  if (did === null || actor.session.auth_source !== 'atproto') return fail('GRANT_ABSENT')
  if (body.redirect_to !== undefined && !isOwnPage(body.redirect_to)) fail('REDIRECT_NOT_ALLOWED')
  const offered = deps.provider.offers()
  if (offered && !body.scopes.every((scope) => offered.includes(scope))) fail('SCOPE_NOT_GRANTED')
  const scopes = [...scopesOf(actor.session.scope ?? ''), ...body.scopes]
  const return_to = body.redirect_to
  return { auth_url: await leave(call, { kind: 'scope_upgrade', actor, handle: did, scopes, return_to }) }
}

const grant: Auth['grant'] = async ({ deps, actor, fail }) => {
  const found = await deps.storage.atproto.grantOfSession(actor.session.session_id)
  return found ? toWireGrant(found, actor, deps) : fail('GRANT_ABSENT')
}

const refreshGrant: Auth['refreshGrant'] = async ({ deps, actor, fail }) => {
  const found = await deps.storage.atproto.grantOfSession(actor.session.session_id)
  if (!found) return fail('GRANT_ABSENT')
  if ((await deps.grants.refresh(found.grant_id)) === 'unreachable') fail('PROVIDER_UNREACHABLE')
  const now = await deps.storage.atproto.findGrant(found.grant_id)
  return now ? toWireGrant(now, actor, deps) : fail('GRANT_ABSENT')
}

function toWireGrant(found: GrantRecord, { user }: Actor, { settings }: Deps) {
  const { refresh_deadline, stops_working_on } = endsOf(found)
  return {
    did: found.did,
    handle: user.handle,
    issuer: found.issuer,
    state: found.sealed === null ? ('needs_sign_in' as const) : ('live' as const),
    scopes: found.sealed === null ? [] : scopesOf(found.scope),
    required_scopes: settings().atproto_scopes,
    granted_at: iso(found.granted_at),
    refreshed_at: iso(found.refreshed_at),
    refresh_deadline: iso(refresh_deadline),
    stops_working_on: stops_working_on === null ? null : iso(stops_working_on),
  }
}

const resolveHandle: Auth['resolveHandle'] = (call) => identify(call, call.body.handle)

const clientMetadata: Auth['clientMetadata'] = async ({ deps, fail }) =>
  (await deps.provider.clientMetadata()) ?? fail('NOT_FOUND')

const clientKeys: Auth['clientKeys'] = async ({ deps, fail }) => (await deps.provider.clientKeys()) ?? fail('NOT_FOUND')

export const grants = { startScopeUpgrade, grant, refreshGrant, resolveHandle, clientMetadata, clientKeys }
