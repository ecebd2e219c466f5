import { safeFetchWrap } from '@atproto-labs/fetch-node'

/** Milliseconds that a whole request may take. */
const LONGEST = 10_000
/** Bytes of an answer. */
const LARGEST = 256 * 1024

export type Fetch = typeof globalThis.fetch

/**
 * Fetches what strangers can name (the host of a handle, what a DID document says): over https only, from no address of this
 * machine or network, following no redirect, within ten seconds and 256 KiB. `allowPrivate` lets http and private
 * addresses through, for providers on the own network: it is a switch of the command line, not a setting.
 */
export function createSafeFetch(allowPrivate: boolean): Fetch {
  const guarded = safeFetchWrap({
    ssrfProtection: !allowPrivate,
    // The port says nothing about what is there; the address does.
    allowCustomPort: true,
    responseMaxSize: LARGEST,
    timeout: LONGEST,
    allowImplicitRedirect: true,
  })
  // `manual` is what asks for the status of a redirect, and goes nowhere either.
  return (input, init) => {
    const asked = init?.redirect ?? (input instanceof Request ? input.redirect : 'error')
    return guarded(input, { ...init, redirect: asked === 'manual' ? 'manual' : 'error' })
  }
}

/** Codes of a connection that never came about: nothing was sent. */
const NEVER_CONNECTED = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Whether this failure says that no connection came about. */
export function neverConnected(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && NEVER_CONNECTED.has(cause.code)) return true
    if (cause instanceof AggregateError && cause.errors.length > 0 && cause.errors.every(neverConnected)) return true
  }
  return false
}
