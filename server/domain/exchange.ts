import type { Factor } from '../../api/schemas.ts'
import type { ErrorCode } from '../../api/errors.ts'
import type { BegunByExchange, ExchangeRecord, GrantRecord } from '../storage/port/atproto.ts'
import type { Storage, UserRecord } from '../storage/port.ts'
import { composeDeveloperToken, MOST_DEVELOPER_TOKENS } from './developer-tokens.ts'
import { endsOf } from './grants.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import { roomInGroup } from './session-group.ts'
import type { Actor, IssuedSession, Sessions } from './sessions.ts'
import type { SignInContext } from './sign-in.ts'
import { isTrustedBrowser } from './trusted-browser.ts'

export interface ExchangeDeps {
  storage: Storage
  sessions: Sessions
  clock: () => number
  random: Random
  /** What an account is called now; null where that cannot be learned. */
  handleOf: (did: string) => Promise<string | null>
}

/** What an exchange token was worth. */
export type Exchanged =
  | { kind: 'session'; session_id: string; issued: IssuedSession; user: UserRecord; return_to: string | null }
  | { kind: 'linked'; session_id: string; user: UserRecord; return_to: string | null }
  | {
      kind: 'developer_token'
      token: string
      prefix: string
      name: string | null
      expires_at: number
      /** Before `expires_at` where the grant behind it ends earlier. */
      stops_working_on: number
      user: UserRecord
    }

export type ExchangeRefusal = Extract<
  ErrorCode,
  'EXCHANGE_TOKEN_INVALID' | 'ACCOUNT_DISABLED' | 'TOO_MANY_ACCOUNTS' | 'TOO_MANY_ACTIVE' | 'DID_TAKEN'
>

/** What the browser brings: the nonce of its cookie, and the secret by which it is trusted, if it is. */
export interface ExchangeContext extends SignInContext {
  nonce: string | undefined
  device_secret: string | undefined
}

export type Exchange = (exchange_token: string, context: ExchangeContext) => Promise<Exchanged | ExchangeRefusal>

/** Turns exchange tokens into what their flow was for. Everything that one brings begins in one transaction, once. */
export function createExchange(deps: ExchangeDeps): Exchange {
  const { storage, sessions, clock, random } = deps

  return async (exchange_token, context) => {
    const token_hash = hashSecret(exchange_token)
    const nonce_hash = hashSecret(context.nonce ?? createSecret(random))
    const shown = await storage.atproto.showExchange(token_hash, nonce_hash, clock())
    const user = shown && (await storage.users.find(shown.user_id))
    const grant = shown && (await storage.atproto.findGrant(shown.grant_id))
    if (!shown || !user || !grant) return refuse('EXCHANGE_TOKEN_INVALID', context)
    if (!user.enabled) return refuse('ACCOUNT_DISABLED', context, user)
    if (shown.kind === 'link_account') return link(shown, nonce_hash, user, grant, context)
    if (shown.kind === 'developer_token') return mint(shown, nonce_hash, user, grant, context)
    return signIn(shown, nonce_hash, user, grant, context)
  }

  async function signIn(
    shown: ExchangeRecord,
    nonce_hash: string,
    user: UserRecord,
    grant: GrantRecord,
    context: ExchangeContext,
  ): Promise<Exchanged | ExchangeRefusal> {
    const joins = shown.kind === 'sign_in' ? undefined : context.current
    // A flow that somebody began while signed in ends in that very session, or not at all.
    if (shown.kind !== 'sign_in' && joins?.session.session_id !== shown.session_id)
      return refuse('EXCHANGE_TOKEN_INVALID', context, user)
    const room = joins && shown.kind === 'add_account' ? await roomInGroup(deps, user, joins) : undefined
    if (room === 'full') return refuse('TOO_MANY_ACCOUNTS', context, user)
    const { row, issued } = sessions.compose(
      user,
      {
        auth_source: 'atproto',
        amr: await factorsOf(shown, user, context),
        group_id: room?.group_id ?? (shown.kind === 'scope_upgrade' ? (joins?.session.group_id ?? null) : null),
        scope: grant.scope,
        proved: isProof(shown, user, grant),
      },
      context.from,
    )
    const begun: BegunByExchange = { session: row, ...whatEnds(shown, context.current, room) }
    if (!(await storage.atproto.consumeExchange(shown.token_hash, nonce_hash, begun, clock())))
      return refuse('EXCHANGE_TOKEN_INVALID', context, user)
    context.record({ event: 'sign_in', user_id: user.user_id, auth_source: 'atproto', amr: row.amr })
    if (shown.kind === 'scope_upgrade')
      context.record({ event: 'atproto_grant_upgraded', user_id: user.user_id, scope: grant.scope })
    return { kind: 'session', session_id: row.session_id, issued, user, return_to: shown.return_to }
  }

  /** A replaced session hands over what was proved in it. */
  async function factorsOf(shown: ExchangeRecord, user: UserRecord, context: ExchangeContext): Promise<Factor[]> {
    const before = shown.kind === 'scope_upgrade' ? (context.current?.session.amr ?? []) : []
    const trusted = await isTrustedBrowser(deps, user, context.device_secret)
    return [...new Set<Factor>([...before, 'atproto', ...(trusted ? (['device'] as const) : [])])]
  }

  async function mint(
    shown: ExchangeRecord,
    nonce_hash: string,
    user: UserRecord,
    grant: GrantRecord,
    context: ExchangeContext,
  ): Promise<Exchanged | ExchangeRefusal> {
    if (context.current?.session.session_id !== shown.session_id) return refuse('EXCHANGE_TOKEN_INVALID', context, user)
    const made = await storage.developerTokens.count(user.user_id, clock())
    if (made >= MOST_DEVELOPER_TOKENS) return refuse('TOO_MANY_ACTIVE', context, user)
    const asked = {
      name: shown.token_name,
      days: shown.token_days ?? 1,
      auth_source: 'atproto',
      scope: grant.scope,
    } as const
    const { row, token } = composeDeveloperToken(deps, user, asked, context.from)
    if (!(await storage.atproto.consumeExchange(shown.token_hash, nonce_hash, { session: row }, clock())))
      return refuse('EXCHANGE_TOKEN_INVALID', context, user)
    const { session_id, prefix, expires_at } = row
    context.record({
      event: 'developer_token_created',
      user_id: user.user_id,
      session_id,
      prefix,
      auth_source: 'atproto',
    })
    const stops_working_on = Math.min(expires_at, endsOf(grant).stops_working_on ?? Infinity)
    return { kind: 'developer_token', token, prefix, name: shown.token_name, expires_at, stops_working_on, user }
  }

  async function link(
    shown: ExchangeRecord,
    nonce_hash: string,
    user: UserRecord,
    { did }: GrantRecord,
    context: ExchangeContext,
  ): Promise<Exchanged | ExchangeRefusal> {
    if (shown.session_id === null || context.current?.session.session_id !== shown.session_id)
      return refuse('EXCHANGE_TOKEN_INVALID', context, user)
    const linked = await storage.atproto.consumeLink(shown.token_hash, nonce_hash, await deps.handleOf(did), clock())
    if (linked !== 'done') return refuse(linked === 'gone' ? 'EXCHANGE_TOKEN_INVALID' : linked, context, user)
    context.record({ event: 'atproto_linked', user_id: user.user_id, by: user.user_id, did })
    return { kind: 'linked', session_id: shown.session_id, user, return_to: shown.return_to }
  }
}

/**
 * Whether the provider proved just now who this is. It was told to ask for the password; but of a client that does not prove itself by
 * a key, the reference provider asks only for consent. That will do for people who have nothing else to prove, and before the very
 * first sign-in, when nobody can have left anything open.
 */
function isProof(
  { prompted }: ExchangeRecord,
  { password_hash, totp_confirmed_at, last_sign_in_at }: UserRecord,
  { kid }: GrantRecord,
): boolean {
  if (last_sign_in_at === null) return true
  return prompted && (kid !== null || (password_hash === null && totp_confirmed_at === null))
}

/** What the new session takes the place of. */
function whatEnds(
  { kind, session_id }: ExchangeRecord,
  current: Actor | undefined,
  room: { ends: readonly string[] } | undefined,
): Omit<BegunByExchange, 'session'> {
  if (kind === 'scope_upgrade') return { replaces: session_id ?? '' }
  if (kind === 'add_account') return { ends: room?.ends, joined_by: session_id ?? undefined }
  return current ? { ends: [current.session.session_id] } : {}
}

function refuse(reason: ExchangeRefusal, { record }: ExchangeContext, user?: UserRecord): ExchangeRefusal {
  record({ event: 'sign_in_refused', ...(user ? { user_id: user.user_id } : {}), auth_source: 'atproto', reason })
  return reason
}
