import {
  asAtprotoOAuthScope,
  atprotoLoopbackClientMetadata,
  buildAtprotoLoopbackClientMetadata,
  isOAuthClientIdLoopback,
  type OAuthClientMetadataInput,
} from '@atproto/oauth-client-node'
import { type ClientAddress, offeredScopes } from './client-address.ts'

/** What providers read at our public address. */
export function publicMetadata(host: string, required: readonly string[]) {
  return {
    client_id: `https://${host}/oauth-client-metadata.json`,
    client_name: 'Latchkey',
    client_uri: `https://${host}`,
    redirect_uris: [`https://${host}/api/auth/callback`],
    scope: offeredScopes(required).join(' '),
    response_types: ['code'],
    grant_types: ['authorization_code', 'refresh_token'],
    application_type: 'web',
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    dpop_bound_access_tokens: true,
    jwks_uri: `https://${host}/oauth/jwks.json`,
  } satisfies OAuthClientMetadataInput
}

/** The client that asks for these scopes. On loopback the client's name holds scopes and address, so each is one of its own. */
export function clientThatAsks(
  address: ClientAddress,
  scope: string,
  required: readonly string[],
): OAuthClientMetadataInput {
  if (address.reach === 'public') return publicMetadata(address.host, required)
  if (address.reach === 'none') throw new Error('There is no address that a provider could send browsers to')
  return buildAtprotoLoopbackClientMetadata({
    scope: asAtprotoOAuthScope(scope),
    redirect_uris: [address.redirectUri],
  })
}

/** The client of this name, which asked before: a grant is renewed by the very client that it was given to. */
export function clientNamed(
  client_id: string,
  address: ClientAddress,
  required: readonly string[],
): OAuthClientMetadataInput {
  if (isOAuthClientIdLoopback(client_id)) return atprotoLoopbackClientMetadata(client_id)
  return publicMetadata(address.reach === 'public' ? address.host : new URL(client_id).host, required)
}
