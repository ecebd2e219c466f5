// The tokens of the provider. A refresh token works once; using one again ends its grant, as at a real PDS.
import { randomBytes } from 'node:crypto'
import { Refusal } from './answer.ts'

export interface Grant {
  readonly did: string
  readonly scope: string
  readonly clientId: string
  readonly issuer: string
  /** The client's key that the grant is bound to, of a client with keys. */
  readonly keyId: string | undefined
  /** The thumbprint of the key that the tokens are bound to. */
  readonly thumbprint: string
  /** How often it was refreshed. */
  refreshes: number
  revoked: boolean
}

export interface Tokens {
  access_token: string
  refresh_token: string
}

export interface Grants {
  /** Newest last. */
  list: Grant[]
  open(grant: Omit<Grant, 'refreshes' | 'revoked'>): { grant: Grant; tokens: Tokens }
  /** The grant of a refresh token, which is spent by this. */
  spend(refreshToken: string, holder: Pick<Grant, 'thumbprint' | 'clientId' | 'issuer' | 'keyId'>): Grant
  renew(grant: Grant): Tokens
  revoke(token: string): void
}

export function createGrants(): Grants {
  const list: Grant[] = []
  const holders = new Map<string, Grant>()
  const spent = new Set<string>()

  function issue(grant: Grant): Tokens {
    const tokens = { access_token: secret('access'), refresh_token: secret('refresh') }
    for (const token of Object.values(tokens)) holders.set(token, grant)
    return tokens
  }

  return {
    list,
    open(made) {
      const grant = { ...made, refreshes: 0, revoked: false }
      list.push(grant)
      return { grant, tokens: issue(grant) }
    },
    spend(token, holder) {
      const refuse = (why: string) => new Refusal('invalid_grant', why)
      const grant = holders.get(token)
      if (!grant || !token.startsWith('refresh-')) throw refuse('no such refresh token')
      if (spent.has(token)) grant.revoked = true
      if (grant.revoked) throw refuse('the grant has ended')
      if (grant.thumbprint !== holder.thumbprint) throw refuse('bound to another key')
      if (grant.clientId !== holder.clientId || grant.issuer !== holder.issuer) throw refuse('of another client')
      if (grant.keyId !== holder.keyId) throw refuse('bound to another key of the client')
      spent.add(token)
      return grant
    },
    renew(grant) {
      grant.refreshes += 1
      return issue(grant)
    },
    revoke(token) {
      const grant = holders.get(token)
      if (grant) grant.revoked = true
    },
  }
}

/** Recognisable, so that a test can look for one where none may be. */
export const secret = (kind: string): string => `${kind}-${randomBytes(24).toString('base64url')}`
