import {
  JoseKey,
  NodeOAuthClient,
  type NodeSavedSession,
  type NodeSavedState,
  type OAuthClientMetadataInput,
  requestLocalLock,
} from '@atproto/oauth-client-node'
import { SimpleStoreMemory } from '@atproto-labs/simple-store-memory'
import type { ClientKeys } from '../domain/client-keys.ts'
import { type Granted, type Identity, type Provider, ProviderFault, RefreshFault } from '../domain/provider.ts'
import type { ClientAddress } from './client-address.ts'
import { clientNamed, clientThatAsks, publicMetadata } from './client.ts'
import { refreshFaultOf, refuseToBegin, refuseToFinish } from './faults.ts'
import { createSafeFetch, type Fetch } from './safe-fetch.ts'

export interface OAuthProviderDeps {
  /** How providers know us; asked anew each time, because the port is known only once we listen. */
  address: () => ClientAddress
  keys: ClientKeys
  requiredScopes: () => readonly string[]
  /** Where handles are asked for, instead of DNS and the host that they name. */
  resolver: string | undefined
  /** Where `did:plc` is looked up, instead of the public directory. */
  plc: string | undefined
  /** Lets http and private addresses through. */
  allowPrivate: boolean
}

/** What is kept of a flow, and of a grant: under which name we asked, and what the library wants back. */
interface KeptFlow {
  client_id: string
  redirect_uri: string
  state: NodeSavedState
}
interface KeptGrant {
  client_id: string
  session: NodeSavedSession
}

type Stores = Pick<ConstructorParameters<typeof NodeOAuthClient>[0], 'stateStore' | 'sessionStore'>

/** Milliseconds that what servers say of themselves is believed. */
const REMEMBERED = 60_000
const NO_STATES: Stores['stateStore'] = { get: () => undefined, set: () => undefined, del: () => undefined }
const NO_SESSIONS: Stores['sessionStore'] = { get: () => undefined, set: () => undefined, del: () => undefined }

/**
 * ATProto's OAuth by its own library: PAR, PKCE, DPoP, `iss`, DID and handle both ways. The library keeps one grant for an
 * account; we keep one for each session and developer token, so each act gets a client of its own that sees just that one.
 */
export function createOAuthProvider(
  deps: OAuthProviderDeps,
): Pick<Provider, 'identify' | 'begin' | 'finish' | 'refresh' | 'revoke' | 'clientMetadata' | 'clientKeys'> {
  const fetch = createSafeFetch(deps.allowPrivate)
  const memory = { ttl: REMEMBERED, max: 100 }
  const shared = {
    dpopNonceCache: new SimpleStoreMemory<string, string>(memory),
    allowHttp: deps.allowPrivate,
    responseMode: 'query' as const,
    requestLock: requestLocalLock,
    ...(deps.resolver === undefined ? {} : { handleResolver: deps.resolver }),
    ...(deps.plc === undefined ? {} : { plcDirectoryUrl: deps.plc }),
  }

  async function clientOf(metadata: OAuthClientMetadataInput, stores: Partial<Stores>, over: Fetch = fetch) {
    const isPublic = metadata.client_id?.startsWith('https:') === true
    const keys = isPublic ? await deps.keys.all() : []
    return new NodeOAuthClient({
      ...shared,
      fetch: over,
      stateStore: NO_STATES,
      sessionStore: NO_SESSIONS,
      ...stores,
      clientMetadata: metadata,
      ...(isPublic ? { keyset: await Promise.all(keys.map(({ jwk }) => JoseKey.fromJWK({ ...jwk }))) } : {}),
    })
  }

  const askingClient = (scope: string, stores: Partial<Stores> = {}) =>
    clientOf(clientThatAsks(deps.address(), scope, deps.requiredScopes()), stores)
  const sameClient = (client_id: string, stores: Partial<Stores>, over?: Fetch) =>
    clientOf(clientNamed(client_id, deps.address(), deps.requiredScopes()), stores, over)

  /** Where a person is sent must be as safe as what we fetch. */
  function checkAddress(url: URL): string {
    if (url.protocol !== 'https:' && !deps.allowPrivate)
      throw new ProviderFault('PROVIDER_UNREACHABLE', `refused to send anybody to ${url.origin}`)
    return url.href
  }

  return {
    async identify(input) {
      const client = await clientOf(identifyingClient(deps.address()), {})
      return identityOf(await client.identityResolver.resolve(input, { noCache: true }).catch(refuseToBegin))
    },

    async begin({ input, scope, prompt, keep }) {
      let client_id = ''
      let redirect_uri = ''
      const client = await askingClient(scope, {
        stateStore: {
          ...NO_STATES,
          set: (state, saved) =>
            keep(state, JSON.stringify({ client_id, redirect_uri, state: saved } satisfies KeptFlow)),
        },
      })
      client_id = client.clientMetadata.client_id
      redirect_uri = client.clientMetadata.redirect_uris[0]
      const url = await client.authorize(input, { scope, ...(prompt ? { prompt } : {}) }).catch(refuseToBegin)
      return checkAddress(url)
    },

    async finish(answer, kept) {
      const flow: KeptFlow = JSON.parse(kept)
      let session: NodeSavedSession | undefined
      const client = await sameClient(flow.client_id, {
        stateStore: { ...NO_STATES, get: () => flow.state },
        sessionStore: { ...NO_SESSIONS, get: () => session, set: (_did, saved) => void (session = saved) },
      })
      // The library lets an answer without `iss` pass where a server does not promise it; ATProto demands it.
      if (answer.has('code') && !answer.has('iss')) throw new ProviderFault('FLOW_REJECTED', 'no iss in the answer')
      const redirect_uri = client.clientMetadata.redirect_uris.find((uri) => uri === flow.redirect_uri)
      await client
        .callback(answer, redirect_uri ? { redirect_uri } : {})
        .catch((error: unknown) => refuseToFinish(error))
      if (!session) throw new ProviderFault('FLOW_REJECTED', 'no grant came of the answer')
      return grantedOf(flow.client_id, session)
    },

    async refresh(did, kept, sending, store) {
      const { client_id, session }: KeptGrant = JSON.parse(kept)
      let isSent = false
      let isStored = false
      const client = await sameClient(
        client_id,
        {
          sessionStore: {
            ...NO_SESSIONS,
            get: () => session,
            set: async (_did, saved) => {
              isStored = true
              const { scope, kept: renewed } = grantedOf(client_id, saved)
              await store({ scope, kept: renewed })
            },
          },
        },
        async (input, init) => {
          // Whatever is read is fetched by GET; what is posted is the refresh token.
          const isTheToken = (init?.method ?? (input instanceof Request ? input.method : 'GET')) === 'POST'
          if (isTheToken && !isSent) await sending()
          isSent ||= isTheToken
          return fetch(input, init)
        },
      )
      await client.restore(did, true).catch((error: unknown) => {
        // What came is stored; that the provider could not be asked for its metadata afterwards harms nobody.
        if (!isStored) throw refreshFaultOf(error, isSent)
        if (error instanceof RefreshFault) throw error
      })
    },

    async revoke(did, kept) {
      const { client_id, session }: KeptGrant = JSON.parse(kept)
      let isReached = false
      const client = await sameClient(
        client_id,
        { sessionStore: { ...NO_SESSIONS, get: () => session } },
        async (input, init) => {
          const answer = await fetch(input, init)
          isReached ||= (init?.method ?? (input instanceof Request ? input.method : 'GET')) === 'POST'
          return answer
        },
      )
      await client.revoke(did).catch(() => undefined)
      if (!isReached) throw new ProviderFault('PROVIDER_UNREACHABLE', 'the grant could not be given back')
    },

    clientMetadata() {
      const address = deps.address()
      return Promise.resolve(
        address.reach === 'public' ? publicMetadata(address.host, deps.requiredScopes()) : undefined,
      )
    },

    async clientKeys() {
      if (deps.address().reach !== 'public') return undefined
      const keys = await deps.keys.all()
      return {
        keys: keys.map(({ kid, jwk: { kty, crv, x, y } }) => ({ kid, kty, crv, x, y, alg: 'ES256', use: 'sig' })),
      }
    },
  }
}

/** Any client can look identities up. */
function identifyingClient(address: ClientAddress): OAuthClientMetadataInput {
  return clientThatAsks(
    address.reach === 'none' ? { reach: 'loopback', redirectUri: 'http://127.0.0.1/' } : address,
    'atproto',
    [],
  )
}

function identityOf({ did, handle }: { did: string; handle: string }): Identity {
  return { did, handle: handle === 'handle.invalid' ? null : handle }
}

function grantedOf(client_id: string, session: NodeSavedSession): Granted {
  const { sub, iss, scope } = session.tokenSet
  const kid = session.authMethod?.method === 'private_key_jwt' ? session.authMethod.kid : null
  return { did: sub, issuer: iss, scope, kid, kept: JSON.stringify({ client_id, session } satisfies KeptGrant) }
}
