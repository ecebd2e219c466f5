// What a test may ask of the provider in test/helpers/hostile-provider.ts.

/** What the provider answers at; everything else is `other`, and 404. */
export type Endpoint = 'handle' | 'did' | 'resource' | 'metadata' | 'par' | 'authorize' | 'token' | 'revoke' | 'other'

/**
 * - `hang`: takes the request and never answers
 * - `reset`: cuts the connection at once
 * - `lose`: does what was asked, then cuts the connection instead of answering
 * - `redirect`: answers with a 302 to the same path at `elsewhere`
 * - `huge`: the true answer, padded with 8 MiB of white space
 * - `{ status }`: that status, and nothing done
 * - `{ slow }`: the true answer, so many milliseconds later
 */
export type Fault = 'hang' | 'reset' | 'lose' | 'redirect' | 'huge' | { status: number } | { slow: number }

export interface Behaviour extends Partial<Record<Endpoint, Fault>> {
  /** The redirect names another issuer. */
  wrongIss?: boolean
  /** The redirect names no issuer, though the metadata promise one. */
  noIss?: boolean
  /** The person presses "deny"; or another error code of the redirect. */
  deny?: boolean | string
  /** The DID of the account that signs in, whoever was hinted at. */
  otherAccount?: string
  /** The DID that the answer to a code names: a lie unless it is the account that signed in. */
  wrongSub?: string
  /** What is granted, whatever was asked: `atproto` (less), `transition:generic` (no `atproto`). */
  scope?: string
  /** The token answer says nothing of scopes. */
  noScope?: boolean
  /** Proofs need a nonce that only a refusal tells (`use_dpop_nonce`). It is another one after each `behave`. */
  demandNonce?: boolean
  /** Every refresh is refused with `invalid_grant`. */
  refreshInvalid?: boolean
  /** Seconds that an access token lives; an hour when absent. */
  expiresIn?: number
}
