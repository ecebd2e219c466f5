import type { AccessKind } from '../../../api/access.ts'
import type { Factor, Person } from '../../../api/schemas.ts'
import type { AuthSource } from '../port.ts'
import type { LastWayIn } from './ways-in.ts'

/** What lets somebody in and is stored; the startup token lives in memory only. */
export type StoredAccessKind = Exclude<AccessKind, 'startup_token'>

export interface AccessRecord {
  kind: StoredAccessKind
  /** Session, login token or device by its identifier; a temporary password by that of its user. */
  id: string
  user: Person
  /** Who gave it to him; null: he himself, or it is not known. */
  made_by: Person | null
  reason: string | null
  auth_source: AuthSource | null
  amr: Factor[]
  /** 0: not known. */
  created_at: number
  last_used_at: number | null
  /** Null: no end. */
  expires_at: number | null
  ip: string | null
  user_agent: string | null
}

/** What of all that lets somebody in is meant. Absent fields select everything. */
export interface AccessFilter {
  kind?: AccessKind | undefined
  /** Whom it lets in. */
  user_id?: number | undefined
  made_by?: number | undefined
  /** Neither made nor used since. */
  unused_since?: number | undefined
  made_before?: number | undefined
  /** Only of the people whom this one manages, superusers left out. */
  managed_by?: number | undefined
  /** This session is left out. */
  except_session?: string | undefined
}

/** When a session has ended by itself. */
export interface Lifetimes {
  now: number
  /** Sessions of browsers that were not used since then have ended. */
  idle_since: number
  /** And those that began before. */
  begun_since: number
}

/** A place in the order of the list: made last first; of what was made at once, by kind and identifier. */
export interface AccessPlace {
  created_at: number
  kind: AccessKind
  id: string
}

export interface AccessQuery extends AccessFilter {
  limit: number
  after?: AccessPlace | undefined
}

export type NamedAccess = Pick<AccessRecord, 'kind' | 'id'>
export type RevokedAccess = NamedAccess & { user_id: number }

export interface AccessStore {
  /** What can let an enabled user in at that moment. */
  list(query: AccessQuery, at: Lifetimes): Promise<AccessRecord[]>
  /** How many of each kind the filter selects, whatever kind it names; at most `most` of each. */
  count(filter: AccessFilter, at: Lifetimes, most: number): Promise<Record<StoredAccessKind, number>>
  /**
   * Ends the named, in one transaction, and answers those that this call has ended: each is answered to one caller only,
   * however many try at once. A temporary password ends by its time having come. `LastWayIn`: refused, and nothing has ended, because
   * one of them is the last proven way in of an enabled superuser.
   */
  revoke(
    named: readonly NamedAccess[],
    filter: Pick<AccessFilter, 'managed_by' | 'except_session'>,
    at: number,
  ): Promise<RevokedAccess[] | LastWayIn>
}
