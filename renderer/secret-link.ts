/** Addresses whose fragment is a secret, or news for this browser alone: it was never sent, and must not stay in sight. */
export const SECRET_PATHS = [
  '/setup',
  '/login/token',
  '/login',
  '/portal',
  '/profile/setup',
  '/settings/developer-tokens',
  '/settings/scopes',
  '/settings/linked',
  '/pair',
  '/pair/done',
] as const
export type SecretPath = (typeof SECRET_PATHS)[number]

/** Those that may carry it as the last part of their path instead. */
const IN_PATH: ReadonlySet<SecretPath> = new Set(['/setup', '/login/token'])
const carried = new Map<SecretPath, string>()

/**
 * Takes the secret out of the address, and answers it; the same again when asked later, until the page is loaded anew.
 * An address that carries it as the last part of its path instead is treated alike.
 */
export function takeSecret(path: SecretPath): string {
  const found = secretIn(path)
  if (found) {
    carried.set(path, found)
    history.replaceState(withoutSecret(history.state, path), '', path + location.search)
  }
  return carried.get(path) ?? ''
}

/** Once it is used up, nobody needs it. */
export function dropSecret(path: SecretPath): void {
  carried.delete(path)
}

function secretIn(path: SecretPath): string {
  if (location.pathname === path) return location.hash.slice(1)
  return IN_PATH.has(path) && location.pathname.startsWith(`${path}/`) ? location.pathname.slice(path.length + 1) : ''
}

/** The router notes the whole address in the entry's state as soon as it sees it. */
function withoutSecret(state: unknown, path: SecretPath): unknown {
  return typeof state === 'object' && state !== null && 'current' in state
    ? { ...state, current: path + location.search }
    : state
}
