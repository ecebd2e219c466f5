/** Addresses whose fragment is a secret: it was never sent, and must not stay in sight. */
export type SecretPath = '/setup' | '/login/token'

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
  return location.pathname.startsWith(`${path}/`) ? location.pathname.slice(path.length + 1) : ''
}

/** The router notes the whole address in the entry's state as soon as it sees it. */
function withoutSecret(state: unknown, path: SecretPath): unknown {
  return typeof state === 'object' && state !== null && 'current' in state ? { ...state, current: path } : state
}
