import type { Provider } from '../domain/provider.ts'
import type { OAuthProviderDeps } from './oauth-provider.ts'
import { offeredScopes } from './client-address.ts'

/** The providers of ATProto accounts. What speaks with them is large, and loaded only when somebody first asks for it. */
export function createProvider(deps: OAuthProviderDeps): Provider {
  let loading: Promise<Omit<Provider, 'reach' | 'offers'>> | undefined
  const loaded = () =>
    (loading ??= import('./oauth-provider.ts').then(({ createOAuthProvider }) => createOAuthProvider(deps)))
  return {
    get reach() {
      return deps.address().reach
    },
    offers: () => (deps.address().reach === 'public' ? offeredScopes(deps.requiredScopes()) : undefined),
    identify: async (input) => (await loaded()).identify(input),
    begin: async (ask) => (await loaded()).begin(ask),
    finish: async (answer, kept) => (await loaded()).finish(answer, kept),
    refresh: async (did, kept, sending, store) => (await loaded()).refresh(did, kept, sending, store),
    revoke: async (did, kept) => (await loaded()).revoke(did, kept),
    clientMetadata: async () => (await loaded()).clientMetadata(),
    clientKeys: async () => (await loaded()).clientKeys(),
  }
}
