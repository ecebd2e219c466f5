import type { KeyObject } from 'node:crypto'
import jwt from 'jsonwebtoken'
import { AUTH_SOURCES } from '../../api/schemas.ts'
import type { AuthSource } from '../storage/port.ts'

export interface SessionClaims {
  sub: string
  /** The session's secret. The row holds its hash, and the row decides. */
  sid: string
  is_temporary: boolean
  auth_source: AuthSource
  /** Seconds, as everywhere in a JWT. */
  iat: number
  exp: number
}

export interface SessionTokens {
  issue(claims: SessionClaims): string
  /** The claims of a token that we signed; its `exp` is not looked at, the session's row decides. */
  read(token: string): SessionClaims | undefined
}

/** A signing key and its name. A KeyObject, because jsonwebtoken takes a string for PEM first, which costs 50 times more. */
export interface SigningKey {
  kid: string
  key: KeyObject
}

/** Signatures already checked, most recent last: a token's signature never changes, only its row does. */
const REMEMBERED = 16_384

/**
 * HS256 session JWTs. The first key signs; all of them verify, by key id, so that a key can be followed by another
 * without signing anybody out.
 */
export function createSessionTokens(keys: readonly [SigningKey, ...SigningKey[]]): SessionTokens {
  const [current] = keys
  const byId = new Map(keys.map(({ kid, key }) => [kid, key]))
  const remembered = new Map<string, SessionClaims>()

  function verify(token: string): SessionClaims | undefined {
    try {
      const header = jwt.decode(token, { complete: true })?.header
      const key = byId.get(header?.kid ?? '')
      if (!key) return undefined
      return claimsOf(jwt.verify(token, key, { algorithms: ['HS256'], ignoreExpiration: true }))
    } catch {
      return undefined
    }
  }

  return {
    issue: (claims) => jwt.sign(claims, current.key, { algorithm: 'HS256', keyid: current.kid }),

    read(token) {
      const known = remembered.get(token)
      if (known) return known
      const claims = verify(token)
      if (!claims) return undefined
      remembered.set(token, claims)
      if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '')
      return claims
    },
  }
}

function claimsOf(payload: string | jwt.JwtPayload): SessionClaims | undefined {
  if (typeof payload === 'string') return undefined
  const { sub, sid, is_temporary, auth_source, iat, exp } = payload
  const source = AUTH_SOURCES.find((known) => known === auth_source)
  if (typeof sub !== 'string' || typeof sid !== 'string' || typeof is_temporary !== 'boolean') return undefined
  if (!source || typeof iat !== 'number' || typeof exp !== 'number') return undefined
  return { sub, sid, is_temporary, auth_source: source, iat, exp }
}
