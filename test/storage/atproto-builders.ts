import { randomBytes } from 'node:crypto'
import type { ExchangeRecord, FlowRecord, NewGrant, NewPairing } from '../../server/storage/port/atproto.ts'
import type { NewSession, NewUser, Storage } from '../../server/storage/port.ts'
import { buildSession, HOUR, NOW, storeUser } from './builders.ts'

export const MINUTE = 60_000

const id = () => randomBytes(8).toString('hex')

export function buildFlow(fields: Partial<FlowRecord> = {}): FlowRecord {
  return {
    state_hash: id(),
    kind: 'sign_in',
    nonce_hash: id(),
    base: 'http://127.0.0.1:8787',
    session_id: null,
    user_id: null,
    did: null,
    scope: 'atproto',
    prompted: false,
    return_to: null,
    token_name: null,
    token_days: null,
    pairing_id: null,
    sealed: 'sealed',
    expires_at: NOW + 10 * MINUTE,
    ...fields,
  }
}

function buildGrant(did: string, fields: Partial<NewGrant> = {}): NewGrant {
  return {
    grant_id: id(),
    did,
    issuer: 'https://pds.example.org',
    scope: 'atproto transition:generic',
    kid: null,
    sealed: 'tokens',
    granted_at: NOW,
    refreshed_at: NOW,
    ...fields,
  }
}

export function buildPairing(fields: Partial<NewPairing> = {}): NewPairing {
  return {
    pairing_id: id(),
    code_hash: id(),
    nonce_hash: id(),
    handle: 'ann.test',
    base: 'http://192.168.0.2:8787',
    ip: '192.168.0.7',
    user_agent: 'test',
    expires_at: NOW + 10 * MINUTE,
    ...fields,
  }
}

export interface Account {
  user_id: number
  did: string
}

export async function storeAccount(storage: Storage, fields: Partial<NewUser> = {}): Promise<Account> {
  const did = `did:plc:${id()}`
  return { user_id: await storeUser(storage, { did, handle: `${id()}.test`, ...fields }), did }
}

/** Stores an exchange token, and the grant behind it, of this account. */
export async function storeExchange(
  storage: Storage,
  { user_id, did }: Account,
  fields: Partial<ExchangeRecord> = {},
  granted: Partial<NewGrant> = {},
): Promise<ExchangeRecord> {
  const grant = buildGrant(did, granted)
  const exchange: ExchangeRecord = {
    token_hash: id(),
    nonce_hash: id(),
    kind: 'sign_in',
    grant_id: grant.grant_id,
    user_id,
    session_id: null,
    prompted: false,
    return_to: null,
    token_name: null,
    token_days: null,
    expires_at: NOW + MINUTE,
    ...fields,
  }
  await storage.atproto.createExchange(exchange, grant)
  return exchange
}

export function buildAtprotoSession(user_id: number, fields: Partial<NewSession> = {}): NewSession {
  return buildSession(user_id, { auth_source: 'atproto', amr: [], scope: 'atproto transition:generic', ...fields })
}

/** A session with its grant, begun by an exchange token. */
export async function storeGrantedSession(
  storage: Storage,
  account: Account,
  granted: Partial<NewGrant> = {},
  fields: Partial<NewSession> = {},
): Promise<{ session: NewSession; grant_id: string }> {
  const { token_hash, nonce_hash, grant_id } = await storeExchange(storage, account, {}, granted)
  const session = buildAtprotoSession(account.user_id, { expires_at: NOW + 24 * HOUR, ...fields })
  if (!(await storage.atproto.consumeExchange(token_hash, nonce_hash, { session }, NOW))) throw new Error('refused')
  return { session, grant_id }
}
