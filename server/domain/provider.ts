/**
 * The providers of ATProto accounts, as the rules see them. What speaks OAuth with them is in `server/atproto/`; `kept` is its
 * own: text that the rules seal, store and hand back.
 */
export interface Provider {
  /** Whose handle or DID this is, proved both ways. Rejects with `HANDLE_UNRESOLVED` or `PROVIDER_UNREACHABLE`. */
  identify(handleOrDid: string): Promise<Identity>
  /**
   * Prepares an authorization and answers where the browser goes. `keep` stores what is needed when it comes back with this
   * `state`, before the address is known to anybody. Rejects as `identify`.
   */
  begin(ask: Authorization): Promise<string>
  /**
   * What came back. Rejects with `FLOW_DENIED` (its owner said no), `PROVIDER_UNREACHABLE`, or `FLOW_REJECTED` for whatever
   * cannot be proved: another issuer, an account that it does not speak for, a wrong code, no `atproto` scope.
   */
  finish(answer: URLSearchParams, kept: string): Promise<Granted>
  /**
   * Renews a grant. `sending` is awaited before the first request that could use the refresh token up, and `store` with what it
   * brought, before anything else happens. Rejects with `RefreshFault`.
   */
  refresh(
    did: string,
    kept: string,
    sending: () => Promise<void>,
    store: (brought: { scope: string; kept: string }) => Promise<void>,
  ): Promise<void>
  /** Tells the provider that a grant is not needed any more. Rejects with `PROVIDER_UNREACHABLE`; then it is worth another try. */
  revoke(did: string, kept: string): Promise<void>
  /** What providers read about us, where we have a public address. */
  clientMetadata(): Promise<({ client_id: string } & Record<string, unknown>) | undefined>
  clientKeys(): Promise<{ keys: ({ kid: string } & Record<string, unknown>)[] } | undefined>
  /**
   * `loopback`: providers can send back only browsers of this machine. `public`: everybody's. `none`: nobody's, because we
   * listen neither on loopback nor have a public address.
   */
  reach: 'loopback' | 'public' | 'none'
  /** The scopes that may be asked for; undefined: any. */
  offers(): readonly string[] | undefined
}

export interface Identity {
  did: string
  /** Null: the account names none that leads back to it. */
  handle: string | null
}

export interface Authorization {
  /** A handle or DID; or the address of a provider, to make an account there. */
  input: string
  scope: string
  /** `login`: ask for the password anew; `create`: make an account. */
  prompt?: 'login' | 'create' | undefined
  keep: (state: string, kept: string) => Promise<void>
}

export interface Granted {
  did: string
  issuer: string
  /** With spaces between. */
  scope: string
  /** The key by which we proved ourselves; null: as a public client. */
  kid: string | null
  kept: string
}

export type ProviderCode = 'HANDLE_UNRESOLVED' | 'PROVIDER_UNREACHABLE' | 'FLOW_DENIED' | 'FLOW_REJECTED'

/** The provider, or what speaks for it, does not do what was asked. The message is for the log. */
export class ProviderFault extends Error {
  readonly code: ProviderCode

  constructor(code: ProviderCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * - `unsent`: nothing was used up; worth another try later
 * - `dead`: the provider says that the grant is over
 * - `lost`: sent, and no answer came; the refresh token may be used up
 */
export type RefreshOutcome = 'unsent' | 'dead' | 'lost'

export class RefreshFault extends Error {
  readonly outcome: RefreshOutcome

  constructor(outcome: RefreshOutcome, message: string, options?: ErrorOptions) {
    super(message, options)
    this.outcome = outcome
  }
}
