import type { ApiTable } from '../../api/index.ts'
import type { DeveloperToken } from '../../api/developer-tokens.ts'
import type { Handlers } from '../call.ts'
import {
  composeDeveloperToken,
  isDeveloperToken,
  MOST_DEVELOPER_TOKENS,
  tokenWithPrefix,
} from '../domain/developer-tokens.ts'
import { endsOf, scopesOf } from '../domain/grants.ts'
import { leave } from '../domain/leaving.ts'
import { hashSecret } from '../domain/one-time-secret.ts'
import { iso } from '../domain/wire.ts'
import type { GrantRecord } from '../storage/port/atproto.ts'
import type { SessionRecord } from '../storage/port.ts'

type Auth = Handlers<ApiTable>['auth']

const startDeveloperToken: Auth['startDeveloperToken'] = async (call) => {
  const { deps, actor, body, fail } = call
  const { user, session } = actor
  if (session.kind === 'temporary') fail('ACCESS_DENIED')
  if (user.did === null) return fail('GRANT_ABSENT')
  const count = await deps.storage.developerTokens.count(user.user_id, deps.clock())
  if (count >= MOST_DEVELOPER_TOKENS) fail('TOO_MANY_ACTIVE')
  const token = { name: body.name ?? null, days: body.expires_in_days }
  const scopes = scopesOf(session.scope ?? '')
  return { auth_url: await leave(call, { kind: 'developer_token', actor, handle: user.did, scopes, token }) }
}

const createDeveloperToken: Auth['createDeveloperToken'] = async ({ deps, actor, body, from, record, fail }) => {
  const { user } = actor
  // A startup token may let somebody back in, not leave keys behind.
  if (actor.session.kind === 'temporary') fail('ACCESS_DENIED')
  const asked = { name: body.name ?? null, days: body.expires_in_days, auth_source: 'password' } as const
  const { row, token } = composeDeveloperToken(deps, user, asked, from)
  if (!(await deps.storage.developerTokens.create(row, MOST_DEVELOPER_TOKENS))) fail('TOO_MANY_ACTIVE')
  const { session_id, prefix } = row
  record({ event: 'developer_token_created', user_id: user.user_id, session_id, prefix, auth_source: 'password' })
  const unused = { ...row, name: asked.name, scope: null, last_seen_at: row.created_at }
  return { ...toWire(unused, undefined), token }
}

const developerTokens: Auth['developerTokens'] = async ({ deps, actor }) => {
  const rows = await deps.storage.developerTokens.list(actor.user.user_id, deps.clock())
  const grants = await deps.storage.atproto.grantsOfSessions(rows.map(({ session_id }) => session_id))
  return {
    tokens: rows.map((row) =>
      toWire(
        row,
        grants.find(({ session_id }) => session_id === row.session_id),
      ),
    ),
  }
}

type Shown = Pick<SessionRecord, 'prefix' | 'name' | 'scope' | 'created_at' | 'expires_at' | 'last_seen_at'>

function toWire(row: Shown, grant: GrantRecord | undefined): DeveloperToken {
  const grant_ends = grant ? endsOf(grant).stops_working_on : null
  return {
    prefix: row.prefix ?? '',
    name: row.name,
    created_at: iso(row.created_at),
    expires_at: iso(row.expires_at),
    last_used_at: row.last_seen_at === row.created_at ? null : iso(row.last_seen_at),
    did: grant?.did ?? null,
    stops_working_on: iso(Math.min(row.expires_at, grant_ends ?? Infinity)),
    needs_sign_in: row.scope === '',
  }
}

const revokeDeveloperToken: Auth['revokeDeveloperToken'] = async ({ deps, actor, params, record, fail }) => {
  const { user_id } = actor.user
  const typed = params.token_prefix
  const found = isDeveloperToken(typed) ? await ownToken(typed) : tokenWithPrefix(await list(), typed)
  if (typeof found === 'string') return fail(found)
  const now = deps.clock()
  if (!(await deps.storage.sessions.revoke(found.session_id, user_id, now))) return fail('TOKEN_NOT_FOUND')
  record({ event: 'developer_token_revoked', user_id, by: user_id, session_id: found.session_id })
  return {}
  function list() {
    return deps.storage.developerTokens.list(user_id, deps.clock())
  }
  async function ownToken(token: string) {
    const known = await deps.storage.sessions.findBySecret(hashSecret(token))
    return known?.user.user_id === user_id ? known.session : 'TOKEN_NOT_FOUND'
  }
}

export const tokensOfDevelopers = { startDeveloperToken, createDeveloperToken, developerTokens, revokeDeveloperToken }
