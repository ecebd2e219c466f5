import { type AccessKind, MOST_COUNTED } from '../../api/access.ts'
import type { Settings } from '../../api/settings.ts'
import type {
  AccessFilter,
  AccessPlace,
  AccessRecord,
  Lifetimes,
  NamedAccess,
  RevokedAccess,
} from '../storage/port/access.ts'
import type { LastWayIn } from '../storage/port/ways-in.ts'
import type { Storage, UserRecord } from '../storage/port.ts'
import type { RecordEvent } from './events.ts'
import type { MemorySecret } from './memory-secret.ts'
import type { Actor } from './sessions.ts'
import { isLastWayIn } from './ways-in.ts'

const SECOND = 1000
/** The only one of its kind. */
const STARTUP_TOKEN = 'startup'

/** Behind the startup token, and before everything else. */
const BEGINNING: AccessPlace = { kind: 'startup_token', id: STARTUP_TOKEN, created_at: Number.MAX_SAFE_INTEGER }

/** Anything that lets somebody in, the startup token included. */
export type AnyAccess = Omit<AccessRecord, 'kind'> & { kind: AccessKind }

type Filter = Omit<AccessFilter, 'managed_by'>

interface AccessBoardDeps {
  storage: Storage
  startupToken: MemorySecret
  clock: () => number
  settings: () => Settings
}

/** Everything that can let somebody in, of the people whom the caller may administer: a superuser everybody. */
export interface AccessBoard {
  list(
    actor: Actor,
    filter: Filter,
    page: { limit: number; after?: AccessPlace | undefined },
  ): Promise<{ items: AnyAccess[]; next: AccessPlace | undefined }>
  /** How many of each kind, whatever kind the filter names; `MOST_COUNTED` + 1 means: more than `MOST_COUNTED`. */
  count(actor: Actor, filter: Filter): Promise<Record<AccessKind, number>>
  /** Ends the named, as far as they are there and in reach, but never the caller's own session. Answers how many. */
  revoke(
    actor: Actor,
    named: readonly { kind: AccessKind; id: string }[],
    record: RecordEvent,
  ): Promise<number | LastWayIn>
}

export function createAccessBoard({ storage, startupToken, clock, settings }: AccessBoardDeps): AccessBoard {
  const lifetimes = (): Lifetimes => {
    const now = clock()
    const { session_idle, session_absolute } = settings()
    return { now, idle_since: now - session_idle * SECOND, begun_since: now - session_absolute * SECOND }
  }

  /** The startup token signs in the first superuser; only superusers are told of it. */
  async function startupAccess(actor: Actor, filter: Filter): Promise<AnyAccess[]> {
    const created_at = startupToken.waitingSince()
    if (created_at === undefined || !actor.user.superuser) return []
    const [first] = await storage.users.superusers(1)
    if (!first || !isMeant(filter, first, created_at)) return []
    const { user_id, username, display_name } = first
    return [
      {
        kind: 'startup_token',
        id: STARTUP_TOKEN,
        user: { user_id, username, display_name },
        made_by: null,
        reason: null,
        auth_source: null,
        amr: [],
        created_at,
        last_used_at: null,
        expires_at: null,
        ip: null,
        user_agent: null,
      },
    ]
  }

  return {
    async list(actor, filter, { limit, after }) {
      // At the top, whenever it was made: it opens the most.
      const wanted = filter.kind === undefined || filter.kind === 'startup_token'
      const first = wanted && !after ? await startupAccess(actor, filter) : []
      const room = limit - first.length
      const stored = await storage.access.list(
        { ...filter, ...reachOf(actor.user), limit: room + 1, after },
        lifetimes(),
      )
      const shown = stored.slice(0, room)
      return { items: [...first, ...shown], next: stored.length > room ? (shown.at(-1) ?? BEGINNING) : undefined }
    },

    async count(actor, filter) {
      const [stored, startup] = await Promise.all([
        storage.access.count({ ...filter, ...reachOf(actor.user) }, lifetimes(), MOST_COUNTED + 1),
        startupAccess(actor, filter),
      ])
      return { ...stored, startup_token: startup.length }
    },

    async revoke({ user, session }, named, record) {
      const stored = named.flatMap(({ kind, id }): NamedAccess[] => (kind === 'startup_token' ? [] : [{ kind, id }]))
      const limits = { ...reachOf(user), except_session: session.session_id }
      const ended = await storage.access.revoke(stored, limits, clock())
      if (isLastWayIn(ended)) return ended
      for (const one of ended) record(eventOf(one, user.user_id))
      const wiped = user.superuser && named.some(({ kind }) => kind === 'startup_token') && startupToken.wipe()
      if (wiped) record({ event: 'startup_token_revoked', by: user.user_id })
      return ended.length + (wiped ? 1 : 0)
    },
  }
}

/** When it ends, seen from now: a session also by the limits that hold for all. */
export function endOf(access: AnyAccess, { session_idle, session_absolute }: Settings): number | null {
  const { kind, expires_at, created_at, last_used_at } = access
  if (kind !== 'session' || expires_at === null) return expires_at
  const idle_at = (last_used_at ?? created_at) + session_idle * SECOND
  return Math.min(expires_at, idle_at, created_at + session_absolute * SECOND)
}

/** All kinds together, and whether that is all there are. */
export function totalOf(counts: Record<AccessKind, number>, kind: AccessKind | undefined) {
  const counted = kind === undefined ? Object.values(counts) : [counts[kind]]
  const total = counted.reduce((sum, one) => sum + Math.min(one, MOST_COUNTED), 0)
  return { total, total_exact: counted.every((one) => one <= MOST_COUNTED) }
}

function reachOf(user: UserRecord): Pick<AccessFilter, 'managed_by'> {
  return user.superuser ? {} : { managed_by: user.user_id }
}

function isMeant(
  { user_id, made_by, unused_since, made_before }: Filter,
  user: UserRecord,
  created_at: number,
): boolean {
  if (made_by !== undefined) return false
  if (user_id !== undefined && user_id !== user.user_id) return false
  return created_at < Math.min(unused_since ?? Infinity, made_before ?? Infinity)
}

function eventOf({ kind, id, user_id }: RevokedAccess, by: number) {
  switch (kind) {
    case 'session':
      return { event: 'session_revoked', user_id, by, session_id: id } as const
    case 'developer_token':
      return { event: 'developer_token_revoked', user_id, by, session_id: id } as const
    case 'login_token':
      return { event: 'login_token_revoked', user_id, by, uuid: id } as const
    case 'temporary_password':
      return { event: 'temporary_password_revoked', user_id, by } as const
    case 'trusted_device':
      return { event: 'device_distrusted', user_id, by } as const
  }
}
