import type { SecretPath } from './secret-link.ts'

/** What a flow was for: the server sends each to an address of its own. */
export type ArrivalKind = 'portal' | 'profile' | 'developer-token' | 'scopes' | 'linked'

export const ARRIVALS = {
  portal: '/portal',
  profile: '/profile/setup',
  'developer-token': '/settings/developer-tokens',
  scopes: '/settings/scopes',
  linked: '/settings/linked',
} as const satisfies Record<ArrivalKind, SecretPath>
