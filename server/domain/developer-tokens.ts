import type { NewSession, SessionRecord, Storage, UserRecord } from '../storage/port.ts'
import { DEVELOPER_TOKEN_DAY } from './lifetimes.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import type { Origin } from './sessions.ts'

/** Of one user, at a time. */
export const MOST_DEVELOPER_TOKENS = 50

const PREFIX_BYTES = 6
const FORM = /^([\w-]{8})\.([\w-]{43})$/

/** What is asked for. */
export interface NewDeveloperToken {
  name: string | null
  days: number
  auth_source: 'password' | 'atproto'
  scope?: string | undefined
}

export interface DeveloperTokenDeps {
  storage: Storage
  clock: () => number
  random: Random
}

/** Eight public characters, a dot, the secret. The characters have nothing to do with the secret. */
export function composeDeveloperToken(
  { clock, random }: DeveloperTokenDeps,
  user: UserRecord,
  asked: NewDeveloperToken,
  from: Origin,
): { row: NewSession & { prefix: string }; token: string } {
  const now = clock()
  const prefix = random(PREFIX_BYTES).toString('base64url')
  const token = `${prefix}.${createSecret(random)}`
  const row = {
    session_id: random(16).toString('hex'),
    secret_hash: hashSecret(token),
    user_id: user.user_id,
    kind: 'developer' as const,
    auth_source: asked.auth_source,
    amr: [],
    group_id: null,
    created_at: now,
    authenticated_at: 0,
    expires_at: now + asked.days * DEVELOPER_TOKEN_DAY,
    ip: from.ip,
    user_agent: from.user_agent,
    scope: asked.scope,
    prefix,
    name: asked.name,
  }
  return { row, token }
}

/** Whether a credential has the form of a developer token; a session's has not. */
export function isDeveloperToken(credential: string): boolean {
  return FORM.test(credential)
}

/** The one of these tokens with this prefix. */
export function tokenWithPrefix(
  tokens: readonly SessionRecord[],
  prefix: string,
): SessionRecord | 'TOKEN_NOT_FOUND' | 'AMBIGUOUS_PREFIX' {
  const [only, another] = tokens.filter((token) => token.prefix === prefix)
  if (!only) return 'TOKEN_NOT_FOUND'
  return another ? 'AMBIGUOUS_PREFIX' : only
}
