import { isIP } from 'node:net'

/** How providers know us, and where they send browsers back to. */
export type ClientAddress =
  | { reach: 'loopback'; redirectUri: `http://127.0.0.1${string}` | `http://[::1]${string}` }
  | { reach: 'public'; host: string }
  | { reach: 'none' }

const CALLBACK = '/api/auth/callback'

/**
 * A public https address with a name makes us a client whose metadata providers fetch. Else we are a loopback client, which only
 * this machine's own browsers can use; where we do not listen on loopback, not even they.
 */
export function clientAddressOf(publicUrl: string | undefined, host: string, port: number): ClientAddress {
  const url = publicUrl === undefined ? undefined : new URL(publicUrl)
  if (url?.protocol === 'https:' && isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 && url.hostname.includes('.'))
    return { reach: 'public', host: url.host }
  if (host === '::1') return { reach: 'loopback', redirectUri: `http://[::1]:${port}${CALLBACK}` }
  const onLoopback = ['0.0.0.0', '::', 'localhost'].includes(host) || host.startsWith('127.')
  return onLoopback ? { reach: 'loopback', redirectUri: `http://127.0.0.1:${port}${CALLBACK}` } : { reach: 'none' }
}

/** Scopes that a client with metadata may ask for besides the required ones; a loopback client may ask for any. */
const OFFERED = ['atproto', 'transition:generic', 'transition:email', 'transition:chat.bsky']

export function offeredScopes(required: readonly string[]): string[] {
  return [...new Set([...OFFERED, ...required])]
}
