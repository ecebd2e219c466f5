import type { Settings } from '../../api/settings.ts'
import type { ErrorCode } from '../../api/errors.ts'
import type { FlowKind, FlowRecord } from '../storage/port/atproto.ts'
import type { Storage, UserRecord } from '../storage/port.ts'
import type { RecordEvent } from './events.ts'
import { type Grants, LONGEST_SCOPE, scopesOf } from './grants.ts'
import { EXCHANGE_TOKEN_LIFE, FLOW_LIFE } from './lifetimes.ts'
import { inviteUser } from './newcomers.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import { type Granted, type Provider, ProviderFault } from './provider.ts'
import { isBeside } from './session-group.ts'
import type { Actor } from './sessions.ts'
import type { Vault } from './vault.ts'

export interface FlowsDeps {
  storage: Storage
  provider: Provider
  grants: Grants
  vault: Vault
  clock: () => number
  random: Random
  settings: () => Settings
  /** Tells the log why a provider was not believed. */
  failed: (error: unknown) => void
}

/** What a browser leaves for a provider with. */
export interface FlowStart {
  kind: FlowKind
  /** The nonce that this browser's cookie holds. */
  nonce: string
  base: string
  /** Who is signed in in this browser. */
  actor: Actor | undefined
  /** The account that must answer, by handle or DID; or the provider to make one at. */
  handle?: string | undefined
  pds_url?: string | undefined
  /** Besides the required scopes. */
  scopes?: readonly string[]
  return_to?: string | undefined
  token?: { name: string | null; days: number }
  pairing_id?: string
}

export type StartRefusal = 'HANDLE_UNRESOLVED' | 'PROVIDER_UNREACHABLE'

/** Where a flow ended. */
export type FlowEnd =
  | { exchange_token: string; kind: FlowKind; isNew: boolean; pairing_id: string | null }
  | { refused: ErrorCode; pairing_id: string | null }
  /** It began under another of our names: the browser must come back there, because its cookie is there. */
  | { elsewhere: string }

export interface Flows {
  /** Prepares a flow and answers where the browser goes. */
  begin(start: FlowStart): Promise<{ auth_url: string } | { refused: StartRefusal }>
  /** A browser with this nonce came back with this answer. */
  finish(answer: URLSearchParams, nonce: string | undefined, base: string, record: RecordEvent): Promise<FlowEnd>
}

/** Flows that must prove the person anew, because what they bring lasts longer than a session or reaches further. */
const PROMPTED: ReadonlySet<FlowKind> = new Set(['developer_token', 'scope_upgrade', 'add_account', 'link_account'])

export function createFlows(deps: FlowsDeps): Flows {
  const { storage, provider, grants, vault, clock, random, settings, failed } = deps

  /** What the account behind a handle is; undefined where one is to be made. */
  async function didOf(handle: string | undefined): Promise<string | null> {
    return handle === undefined ? null : (await provider.identify(handle)).did
  }

  async function begin(start: FlowStart): Promise<{ auth_url: string }> {
    const did = await didOf(start.handle)
    const scope = [...new Set([...settings().atproto_scopes, ...(start.scopes ?? [])])].join(' ')
    const prompted = PROMPTED.has(start.kind)
    const auth_url = await provider.begin({
      input: start.pds_url ?? did ?? '',
      scope,
      prompt: start.pds_url !== undefined ? 'create' : prompted ? 'login' : undefined,
      keep: (state, kept) => {
        const state_hash = hashSecret(state)
        return storage.atproto.createFlow({
          state_hash,
          kind: start.kind,
          nonce_hash: hashSecret(start.nonce),
          base: start.base,
          session_id: start.actor?.session.session_id ?? null,
          user_id: start.actor?.user.user_id ?? null,
          did,
          scope,
          // Whoever is to make an account may sign in with one that he has, for which the provider need not ask anything.
          prompted,
          return_to: start.return_to ?? null,
          token_name: start.token?.name ?? null,
          token_days: start.token?.days ?? null,
          pairing_id: start.pairing_id ?? null,
          sealed: vault.seal(kept, purposeOf(state_hash)),
          expires_at: clock() + FLOW_LIFE,
        })
      },
    })
    return { auth_url }
  }

  /** What the provider grants; a grant that is not to be used is given back. */
  async function grantOf(flow: FlowRecord, answer: URLSearchParams): Promise<Granted | { refused: ErrorCode }> {
    const granted = await provider.finish(answer, vault.open(flow.sealed, purposeOf(flow.state_hash)))
    const refused = judge(flow, granted)
    if (!refused) return granted
    await provider.revoke(granted.did, granted.kept).catch(failed)
    return { refused }
  }

  function judge(flow: FlowRecord, { did, scope }: Granted): ErrorCode | undefined {
    if (flow.did !== null && flow.did !== did) return 'FLOW_USER_MISMATCH'
    const granted = scopesOf(scope)
    if (scope.length > LONGEST_SCOPE || !granted.includes('atproto')) return 'FLOW_REJECTED'
    // What a provider does not know it leaves out without a word.
    return scopesOf(flow.scope).every((asked) => granted.includes(asked)) ? undefined : 'SCOPE_NOT_GRANTED'
  }

  /** Whose session or token it becomes; a newcomer is made a user where the settings let everybody in. */
  async function ownerOf(
    flow: FlowRecord,
    did: string,
    record: RecordEvent,
  ): Promise<{ user: UserRecord; isNew: boolean } | { refused: ErrorCode }> {
    const { handle } = await provider.identify(did).catch(() => ({ handle: null }))
    const known = await storage.users.findByDid(did)
    if (flow.kind === 'link_account') {
      const own = await storage.users.find(flow.user_id ?? 0)
      if (!own || (known && known.user_id !== own.user_id)) return { refused: 'DID_TAKEN' }
      return { user: own, isNew: false }
    }
    if (flow.kind === 'developer_token' || flow.kind === 'scope_upgrade') {
      return known?.user_id === flow.user_id && known
        ? { user: known, isNew: false }
        : { refused: 'FLOW_USER_MISMATCH' }
    }
    if (flow.kind === 'add_account' && known && (await isBeside(storage, flow, known.user_id, clock())))
      return { refused: 'ACCOUNT_ALREADY_LINKED' }
    if (known) {
      if (handle !== null && handle !== known.handle) await storage.users.setHandle(known.user_id, handle)
      return known.enabled ? { user: known, isNew: false } : { refused: 'ACCOUNT_DISABLED' }
    }
    if (settings().atproto_sign_up !== 'open') return { refused: 'ACCOUNT_NOT_LINKED' }
    const user = await inviteUser(storage, { did, handle }, clock())
    record({ event: 'user_created', user_id: user.user_id, by: user.user_id, fields: ['did'] })
    return { user, isNew: true }
  }

  async function arrive(flow: FlowRecord, answer: URLSearchParams, record: RecordEvent): Promise<FlowEnd> {
    const { pairing_id } = flow
    const nonce_hash = await nonceOf(flow)
    // Nobody waits any more: the provider need not be asked.
    if (nonce_hash === undefined) return { refused: 'PAIRING_CODE_INVALID', pairing_id }
    const granted = await grantOf(flow, answer)
    if ('refused' in granted) return { ...granted, pairing_id }
    const owner = await ownerOf(flow, granted.did, record)
    if ('refused' in owner) {
      await provider.revoke(granted.did, granted.kept).catch(failed)
      return { ...owner, pairing_id }
    }
    const now = clock()
    const grant_id = random(16).toString('hex')
    const exchange_token = createSecret(random)
    await storage.atproto.createExchange(
      {
        token_hash: hashSecret(exchange_token),
        nonce_hash,
        kind: flow.kind,
        grant_id,
        user_id: owner.user.user_id,
        session_id: flow.session_id,
        prompted: flow.prompted,
        return_to: flow.return_to,
        token_name: flow.token_name,
        token_days: flow.token_days,
        expires_at: now + EXCHANGE_TOKEN_LIFE,
      },
      {
        grant_id,
        did: granted.did,
        issuer: granted.issuer,
        scope: granted.scope,
        kid: granted.kid,
        sealed: grants.seal(grant_id, granted.kept),
        granted_at: now,
        refreshed_at: now,
      },
    )
    return { exchange_token, kind: flow.kind, isNew: owner.isNew, pairing_id }
  }

  /** The browser that may use the exchange token: the one that began; of a pairing, the one that waits, if it still does. */
  async function nonceOf({ nonce_hash, pairing_id }: FlowRecord): Promise<string | undefined> {
    if (pairing_id === null) return nonce_hash
    const pairing = await storage.atproto.findPairing(pairing_id)
    return pairing && pairing.expires_at > clock() ? pairing.nonce_hash : undefined
  }

  return {
    begin: (start) => begin(start).catch(refusalOf),

    async finish(answer, nonce, base, record) {
      const state_hash = hashSecret(answer.get('state') ?? '')
      const seen = await storage.atproto.findFlow(state_hash)
      if (!seen) return { refused: 'FLOW_INVALID', pairing_id: null }
      if (seen.base !== base) return { elsewhere: seen.base }
      // Whatever comes now, the state is used up.
      const flow = await storage.atproto.takeFlow(state_hash)
      if (!flow) return { refused: 'FLOW_INVALID', pairing_id: null }
      const { pairing_id } = flow
      if (nonce === undefined || hashSecret(nonce) !== flow.nonce_hash)
        return { refused: 'FLOW_FOREIGN_BROWSER', pairing_id }
      if (flow.expires_at <= clock()) return { refused: 'FLOW_EXPIRED', pairing_id }
      if (!settings().atproto_enabled) return { refused: 'ATPROTO_DISABLED', pairing_id }
      try {
        return await arrive(flow, answer, record)
      } catch (error) {
        if (!(error instanceof ProviderFault)) throw error
        failed(error)
        return { refused: error.code, pairing_id }
      }
    },
  }

  function refusalOf(error: unknown): { refused: StartRefusal } {
    if (!(error instanceof ProviderFault)) throw error
    failed(error)
    return { refused: error.code === 'HANDLE_UNRESOLVED' ? error.code : 'PROVIDER_UNREACHABLE' }
  }
}

/** What is kept of a flow can be opened as that flow alone. */
function purposeOf(state_hash: string): string {
  return `flow ${state_hash}`
}
