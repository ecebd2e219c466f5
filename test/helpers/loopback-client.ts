import {
  buildAtprotoLoopbackClientMetadata,
  type JoseKey,
  NodeOAuthClient,
  type NodeSavedSession,
  type NodeSavedSessionStore,
  type NodeSavedState,
  type OAuthClientMetadataInput,
  requestLocalLock,
} from '@atproto/oauth-client-node'

interface Options {
  scope: string
  redirectUri: string
  handleResolver: string
  plcDirectoryUrl: string
  /** In place of the loopback client's. */
  metadata?: OAuthClientMetadataInput
  keyset?: JoseKey[]
  /** Where it keeps what was granted; absent: where nobody else looks. */
  sessionStore?: NodeSavedSessionStore
}

/** The ATProto library with nothing of ours around it; it remembers in memory. */
export function buildLoopbackClient(options: Options): NodeOAuthClient {
  const { scope, redirectUri, metadata, keyset, sessionStore, ...resolvers } = options
  const loopback = () => buildAtprotoLoopbackClientMetadata({ scope, redirect_uris: [redirectUri] })
  return new NodeOAuthClient({
    clientMetadata: metadata ?? loopback(),
    ...(keyset && { keyset }),
    ...resolvers,
    allowHttp: true,
    stateStore: buildStore<NodeSavedState>(),
    sessionStore: sessionStore ?? buildStore<NodeSavedSession>(),
    requestLock: requestLocalLock,
  })
}

function buildStore<T>() {
  const map = new Map<string, T>()
  return {
    get: (key: string) => map.get(key),
    set: (key: string, value: T) => void map.set(key, value),
    del: (key: string) => void map.delete(key),
  }
}
