import type { NewSession } from '../port.ts'

/** What is kept of ATProto sign-in: flows under way, exchange tokens, grants, pairings, and the client's keys. */

export const FLOW_KINDS = ['developer_token', 'scope_upgrade', 'add_account', 'link_account', 'sign_in'] as const
export type FlowKind = (typeof FLOW_KINDS)[number]

/** A flow that left for a provider and has not come back. */
export interface FlowRecord {
  /** SHA-256 of OAuth's `state`. */
  state_hash: string
  kind: FlowKind
  /** SHA-256 of the nonce that a cookie of the browser holds. */
  nonce_hash: string
  /** The origin at which the browser knows us. */
  base: string
  /** The session that began it; null where nobody was signed in. */
  session_id: string | null
  user_id: number | null
  /** The account that must answer; null: whichever does, because it is still to be made. */
  did: string | null
  /** The scopes asked for, with spaces between. */
  scope: string
  /** The provider was told to ask for the password anew. */
  prompted: boolean
  return_to: string | null
  /** Of a developer token. */
  token_name: string | null
  token_days: number | null
  /** Of a browser that waits elsewhere for its outcome. */
  pairing_id: string | null
  /** What the OAuth client needs to go on: issuer, DPoP key, PKCE verifier. */
  sealed: string
  expires_at: number
}

/** What an exchange token is worth. */
export interface ExchangeRecord {
  token_hash: string
  nonce_hash: string
  kind: FlowKind
  grant_id: string
  /** Whose session or developer token it makes. */
  user_id: number
  /** The session that began the flow. */
  session_id: string | null
  prompted: boolean
  return_to: string | null
  token_name: string | null
  token_days: number | null
  expires_at: number
}

export interface GrantRecord {
  grant_id: string
  did: string
  /** The session or developer token that it belongs to; null until the exchange. */
  session_id: string | null
  issuer: string
  /** What was granted, with spaces between. */
  scope: string
  /** The key by which we proved ourselves; null: as a public client. */
  kid: string | null
  /** Tokens and DPoP key. Null: the grant is dead, and needs a new sign-in. */
  sealed: string | null
  granted_at: number
  refreshed_at: number
  /** A refresh was sent, and its answer not yet written. */
  refreshing_since: number | null
}

export type NewGrant = Omit<GrantRecord, 'refreshing_since' | 'session_id'>

export interface PairingRecord {
  pairing_id: string
  /** SHA-256 of the code. */
  code_hash: string
  /** SHA-256 of the nonce that a cookie of the waiting browser holds. */
  nonce_hash: string
  handle: string
  base: string
  ip: string
  user_agent: string
  state: 'waiting' | 'approved' | 'done' | 'refused'
  /** Why it was refused: an error code. */
  reason: string | null
  /** The exchange token, sealed, until the browser has asked for it. */
  sealed_token: string | null
  expires_at: number
}

export type NewPairing = Omit<PairingRecord, 'state' | 'reason' | 'sealed_token'>

export interface ClientKeyRecord {
  kid: string
  /** The private JWK. */
  sealed: string
  created_at: number
}

/** The session that an exchange begins, and what happens with it in the same transaction. */
export interface BegunByExchange {
  session: NewSession
  /** This session ends. Unless it still lives, nothing happens at all. */
  replaces?: string | undefined
  /** These sessions end, where they still live. */
  ends?: readonly string[] | undefined
  /** This session joins the group of the new one, where it has none. */
  joined_by?: string | undefined
}

export interface AtprotoStore {
  createFlow(flow: FlowRecord): Promise<void>
  /** A flow that was not taken yet, expired or not. Takes nothing. */
  findFlow(state_hash: string): Promise<FlowRecord | undefined>
  /** Takes a flow: of any number of simultaneous callers exactly one gets it, expired or not. Atomic. */
  takeFlow(state_hash: string): Promise<FlowRecord | undefined>

  /** Stores the grant and the exchange token that makes it somebody's. Atomic. */
  createExchange(exchange: ExchangeRecord, grant: NewGrant): Promise<void>
  /** What an exchange token is worth, if it could be consumed now. Uses nothing up. */
  showExchange(token_hash: string, nonce_hash: string, now: number): Promise<ExchangeRecord | undefined>
  /**
   * Consumes an exchange token: the session begins, the grant becomes its own, the sign-in is noted, the replaced one ends; or none of it.
   * Atomic: exactly one of any number of tries is true. False, too, when it is expired, of another browser, or to link an
   * account; when the user is disabled, gone, or has another ATProto account by now; when the grant is dead; when the
   * session to be replaced, or the one to join, has ended, or that one is in another group by now.
   */
  consumeExchange(token_hash: string, nonce_hash: string, begun: BegunByExchange, now: number): Promise<boolean>
  /**
   * Consumes an exchange token by linking the grant's account to the user of the exchange: `users.did` and `handle`. Atomic. `DID_TAKEN`:
   * another user has it, and the token is spent all the same. `gone`: as `consumeExchange` is false. The grant belongs to nobody afterwards.
   * The session that began the flow must still live. What an account that the user had before began ends, but that session.
   */
  consumeLink(
    token_hash: string,
    nonce_hash: string,
    handle: string | null,
    now: number,
  ): Promise<'done' | 'DID_TAKEN' | 'gone'>

  findGrant(grant_id: string): Promise<GrantRecord | undefined>
  grantOfSession(session_id: string): Promise<GrantRecord | undefined>
  /** Grants of these sessions. */
  grantsOfSessions(session_ids: readonly string[]): Promise<GrantRecord[]>
  /** Marks that a refresh is being sent. Atomic: true for one caller until it is finished or released; false of a dead grant. */
  beginRefresh(grant_id: string, at: number): Promise<boolean>
  /**
   * Stores what a refresh brought and takes the mark of `begun_at` away; the session's scope follows. Atomic. False: the grant
   * is gone or dead meanwhile, and what was brought is not stored.
   */
  finishRefresh(
    grant_id: string,
    begun_at: number,
    brought: Pick<GrantRecord, 'scope' | 'refreshed_at'> & { sealed: string },
  ): Promise<boolean>
  /** Takes the mark away: the refresh never reached the provider. */
  releaseRefresh(grant_id: string, begun_at: number): Promise<void>
  /** The grant is dead: its tokens are forgotten, and its session has no scope any more. Atomic; true for one caller. */
  endGrant(grant_id: string): Promise<boolean>
  /** Ends every grant whose refresh was sent before this time and never written: what came of it cannot be known. Answers them, as they were. */
  endLostRefreshes(sent_before: number): Promise<GrantRecord[]>
  /** Live grants that were last refreshed before this time, that nobody is refreshing and whose session lives, the longest ago first. */
  dueForRefresh(refreshed_before: number, now: number, limit: number): Promise<GrantRecord[]>
  /** Grants that nobody can use: their session has ended or is gone, or their exchange token has expired. */
  orphanedGrants(now: number, limit: number): Promise<GrantRecord[]>
  deleteGrant(grant_id: string): Promise<void>

  createPairing(pairing: NewPairing): Promise<void>
  findPairing(pairing_id: string): Promise<PairingRecord | undefined>
  /** The pairing with this code that still waits. */
  pairingWithCode(code_hash: string, now: number): Promise<PairingRecord | undefined>
  /** The pairing that this browser began last, not expired. */
  pairingOfBrowser(nonce_hash: string, now: number): Promise<PairingRecord | undefined>
  /** From `waiting` to `approved`. Atomic: true for one caller. */
  approvePairing(pairing_id: string, now: number): Promise<boolean>
  /** From `approved` to its end. Atomic: true for one caller. */
  finishPairing(pairing_id: string, end: { sealed_token: string } | { reason: string }, now: number): Promise<boolean>
  /** Takes the sealed token of a pairing that is done. Atomic: exactly one caller gets it. */
  takePairedToken(pairing_id: string, now: number): Promise<string | undefined>
  deletePairing(pairing_id: string): Promise<void>

  /** The keys of the confidential client, the newest first. */
  clientKeys(): Promise<ClientKeyRecord[]>
  /** Adds a key unless one was made since `unless_since`. Atomic: of several servers exactly one adds. */
  addClientKey(key: ClientKeyRecord, unless_since: number): Promise<boolean>
  /** Removes keys made before this time that no grant and no flow still needs; never the newest. */
  removeOldClientKeys(created_before: number): Promise<void>

  /** Forgets flows, exchange tokens and pairings that expired before this time. */
  sweep(before: number): Promise<void>
}
