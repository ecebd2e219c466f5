// Who lives here: handles, DID documents, and the metadata of the PDS and of its authorization server.
import { randomBytes } from 'node:crypto'
import type { Answer, Asked } from './answer.ts'

/** A test may change it at any time: another `pds` is an account that has moved, another `claims` a handle it lost. */
export interface Account {
  readonly did: string
  /** The handle that resolves to the DID. */
  handle: string
  /** The handle that the DID document names. */
  claims: string
  /** The origin of its PDS. */
  pds: string
}

export interface Directory {
  add(handle: string, pds: string): Account
  /** By handle or DID. */
  find(name: string | undefined): Account | undefined
  /** An account of a PDS, for a person who signs in there without saying a name. */
  anyOf(pds: string): Account | undefined
  resolveHandle(asked: Asked): Answer
  didDocument(asked: Asked): Answer
}

export function createDirectory(): Directory {
  const accounts: Account[] = []
  const find: Directory['find'] = (name) => accounts.find(({ did, handle }) => name === did || name === handle)
  return {
    find,
    add(handle, pds) {
      const account = { did: newDid(), handle, claims: handle, pds }
      accounts.push(account)
      return account
    },
    anyOf: (pds) => accounts.find((account) => account.pds === pds),
    resolveHandle({ url }) {
      const account = accounts.find(({ handle }) => handle === url.searchParams.get('handle'))
      if (account) return { status: 200, body: { did: account.did } }
      return { status: 400, body: { error: 'InvalidRequest', message: 'Unable to resolve handle' } }
    },
    didDocument({ url }) {
      const account = find(decodeURIComponent(url.pathname.slice(1)))
      return account ? { status: 200, body: documentOf(account) } : { status: 404, body: { message: 'DID not found' } }
    },
  }
}

/** 120 bits in the alphabet of did:plc. */
function newDid(): string {
  const letters = 'abcdefghijklmnopqrstuvwxyz234567'
  return `did:plc:${Array.from(randomBytes(24), (byte) => letters.charAt(byte % 32)).join('')}`
}

const documentOf = ({ did, claims, pds }: Account) => ({
  '@context': ['https://www.w3.org/ns/did/v1'],
  id: did,
  alsoKnownAs: [`at://${claims}`],
  verificationMethod: [],
  service: [{ id: '#atproto_pds', type: 'AtprotoPersonalDataServer', serviceEndpoint: pds }],
})

export const resourceMetadata = ({ origin }: Asked): Answer => ({
  status: 200,
  body: {
    resource: origin,
    authorization_servers: [origin],
    scopes_supported: [],
    bearer_methods_supported: ['header'],
  },
})

export const serverMetadata = ({ origin }: Asked): Answer => ({
  status: 200,
  body: {
    issuer: origin,
    authorization_endpoint: `${origin}/oauth/authorize`,
    token_endpoint: `${origin}/oauth/token`,
    revocation_endpoint: `${origin}/oauth/revoke`,
    pushed_authorization_request_endpoint: `${origin}/oauth/par`,
    require_pushed_authorization_requests: true,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token'],
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['atproto', 'transition:email', 'transition:generic', 'transition:chat.bsky'],
    subject_types_supported: ['public'],
    token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256'],
    dpop_signing_alg_values_supported: ['ES256'],
    authorization_response_iss_parameter_supported: true,
    client_id_metadata_document_supported: true,
    prompt_values_supported: ['none', 'login', 'consent', 'select_account', 'create'],
    protected_resources: [origin],
  },
})
