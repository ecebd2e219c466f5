import type { Factor } from '../../api/schemas.ts'
import type { AuthSource, MaybePromise, NewSession, SessionRecord, Storage, UserRecord } from '../storage/port.ts'
import { isDeveloperToken } from './developer-tokens.ts'
import { createSecret, hashSecret, type Random } from './one-time-secret.ts'
import type { SessionTokens } from './session-token.ts'
import type { Settings } from '../../api/settings.ts'
import { SESSION_LIFE, TOUCH_EVERY } from './lifetimes.ts'

const SECOND = 1000

/** Where a request came from, as sessions and limits remember it. */
export interface Origin {
  ip: string
  user_agent: string
  /** From this machine itself. */
  loopback: boolean
  /** And opened there as that: certainly not through a proxy. */
  at_machine: boolean
}

/** Who calls: a live session and its user. */
export interface Actor {
  user: UserRecord
  session: SessionRecord
}

/** The session that a browser has already, if any: a program's developer token is none, and nothing takes its place. */
export function browserOf(actor: Actor | undefined): Actor | undefined {
  return actor?.session.kind === 'developer' ? undefined : actor
}

/** A new or renewed session, as the cookie and the answer carry it. */
export interface IssuedSession {
  token: string
  expires_at: number
}

export interface SessionsDeps {
  storage: Storage
  tokens: SessionTokens
  clock: () => number
  random: Random
  settings: () => Settings
}

/** How a session begins. */
export interface SessionStart {
  auth_source: AuthSource
  amr: Factor[]
  group_id?: string | null
  /** What a provider granted; of ATProto sessions. */
  scope?: string | undefined
  /** `false`: who he is was not proved just now, so the session does not begin fresh. Absent: it was, if a factor says so. */
  proved?: boolean | undefined
}

export interface Sessions {
  /** Composes a session; nothing is stored yet, so that storing it can be part of a larger transaction. */
  compose(user: UserRecord, how: SessionStart, from: Origin): { row: NewSession; issued: IssuedSession }
  /**
   * Whose token this is, as a cookie brings it or a header. `expired`: it was ours and has ended; `unknown`: it never was. A developer
   * token counts in a header alone.
   */
  identify(token: string, from: 'cookie' | 'header'): MaybePromise<Actor | 'expired' | 'unknown'>
  isLive(session: SessionRecord): boolean
  /** Live sessions of a user, the newest use first. */
  listLive(user_id: number): Promise<SessionRecord[]>
  /**
   * A new secret for a live session; the old one ends. With a factor that was just proved, it joins those of the session, which
   * is fresh from now on. Undefined when the session ended meanwhile.
   */
  rotate(session: SessionRecord, proved?: Factor): Promise<IssuedSession | undefined>
  /** Sessions older than this count as idle. */
  idleSince(): number
  /** Notes the use of a session, now and then. */
  needsTouch(session: SessionRecord): boolean
}

export function createSessions({ storage, tokens, clock, random, settings }: SessionsDeps): Sessions {
  const idleSince = () => clock() - settings().session_idle * SECOND

  function issue(session: SessionRecord | NewSession, secret: string, now: number): IssuedSession {
    const token = tokens.issue({
      sub: String(session.user_id),
      sid: secret,
      is_temporary: session.kind === 'temporary',
      auth_source: session.auth_source,
      iat: Math.floor(now / 1000),
      exp: Math.floor(session.expires_at / 1000),
    })
    return { token, expires_at: session.expires_at }
  }

  function isLive(session: SessionRecord): boolean {
    const now = clock()
    if (session.kind === 'developer') return session.revoked_at === null && session.expires_at > now
    const { session_absolute } = settings()
    // The absolute limit counts here too: shortened, it ends sessions that are under way.
    const ends_at = Math.min(session.expires_at, session.created_at + session_absolute * SECOND)
    return session.revoked_at === null && ends_at > now && session.last_seen_at > idleSince()
  }

  function judge(found: { session: SessionRecord; user: UserRecord } | undefined) {
    if (!found) return 'unknown'
    return isLive(found.session) ? found : 'expired'
  }

  /** The hash under which this credential is stored; undefined when it cannot be one of ours. */
  function storedHash(
    credential: string,
    from: 'cookie' | 'header',
  ): { hash: string; isDeveloper: boolean } | undefined {
    if (isDeveloperToken(credential))
      return from === 'header' ? { hash: hashSecret(credential), isDeveloper: true } : undefined
    const claims = tokens.read(credential)
    return claims && { hash: hashSecret(claims.sid), isDeveloper: false }
  }

  return {
    compose(user, how, from) {
      const now = clock()
      const secret = createSecret(random)
      const row: NewSession = {
        session_id: random(16).toString('hex'),
        secret_hash: hashSecret(secret),
        user_id: user.user_id,
        kind: how.auth_source === 'startup_token' ? 'temporary' : 'browser',
        auth_source: how.auth_source,
        amr: how.amr,
        group_id: how.group_id ?? null,
        created_at: now,
        // A login token proves that somebody was let in, not who he is: its session is never fresh, on whatever device.
        authenticated_at:
          how.proved === false || how.amr.every((factor) => factor === 'link' || factor === 'device') ? 0 : now,
        expires_at: now + Math.min(SESSION_LIFE[how.auth_source], settings().session_absolute * SECOND),
        ip: from.ip,
        user_agent: from.user_agent,
        scope: how.scope,
      }
      return { row, issued: issue(row, secret, now) }
    },

    identify(token, from) {
      const stored = storedHash(token, from)
      if (!stored) return 'unknown'
      const judged = (found: { session: SessionRecord; user: UserRecord } | undefined) =>
        (found?.session.kind === 'developer') === stored.isDeveloper ? judge(found) : 'unknown'
      const found = storage.sessions.findBySecret(stored.hash)
      return found instanceof Promise ? found.then(judged) : judged(found)
    },

    isLive,
    idleSince,

    async listLive(user_id) {
      const found = await storage.sessions.listLive(user_id, clock(), idleSince())
      return found.filter(isLive)
    },

    async rotate(session, proved) {
      const now = clock()
      const secret = createSecret(random)
      const rotated = await storage.sessions.rotate(session.session_id, hashSecret(secret), now, proved)
      return rotated ? issue(session, secret, now) : undefined
    },

    // The first use of a developer token is noted at once: until then it was never used.
    needsTouch: ({ kind, created_at, last_seen_at }) =>
      clock() - last_seen_at >= TOUCH_EVERY ||
      (kind === 'developer' && last_seen_at === created_at && clock() > created_at),
  }
}
