import type { AuditOutcome } from '../../../api/audit.ts'

/** An entry as it is handed over: its place in the chain is not known yet. Empty texts are null. */
export interface NewAuditEntry {
  at: number
  event: string
  outcome: AuditOutcome
  actor_id: number | null
  /** Null: the name that the user with this id has now. */
  actor: string | null
  target_id: number | null
  /** The same. */
  target: string | null
  method: string | null
  ip: string | null
  user_agent: string | null
  request_id: string | null
  /** JSON text of an object. */
  detail: string
}

/** An entry at its place. */
export interface AuditRecord extends NewAuditEntry {
  /** From 1, without gaps. */
  seq: number
  /** Hash of the entry before. */
  previous: string
}

/** The hash of an entry, from all of its fields. */
export type HashOf = (entry: AuditRecord) => string

/** Where the chain ends, and where what is left of it begins. */
export interface AuditHead {
  /** The newest entry; 0: none yet. */
  seq: number
  /** Its hash. */
  hash: string
  /** Entries up to this one are gone; 0: none is. */
  trimmed_through: number
}

export interface AuditFilter {
  event?: string | undefined
  /** Not beside `event`, which has one outcome. */
  outcome?: AuditOutcome | undefined
  actor_id?: number | undefined
  target_id?: number | undefined
  /** Actor or target. */
  user_id?: number | undefined
  ip?: string | undefined
  /** From this moment on, and before that one. */
  from?: number | undefined
  to?: number | undefined
}

/** An hour in which somebody signed in or was refused. */
export interface AuditHour {
  at: number
  signed_in: number
  refused: number
}

/** What a trim did: it took everything up to `through_seq`, whose hash is `through_hash`. */
export interface AuditTrim {
  through_seq: number
  through_hash: string
  count: number
}

export interface AuditStore {
  /**
   * Appends entries to the one chain, in their order. Atomic: of any number of callers, in any number of processes, each
   * continues where another ended, so that the chain neither forks nor has gaps.
   */
  append(entries: readonly NewAuditEntry[], hashOf: HashOf): Promise<void>
  head(): Promise<AuditHead>
  /**
   * One page, the newest first; `before`: older than this entry. `total` is exact without a filter; of one it may stop at
   * 1,000: `total_exact` is false then, and there are more.
   */
  list(
    filter: AuditFilter,
    page: { before?: number | undefined; limit: number },
  ): Promise<{ items: AuditRecord[]; total: number; total_exact: boolean }>
  /** The next entries that the filter selects, the oldest first: those after `after`, up to and with `through`. */
  read(filter: AuditFilter, page: { after: number; through: number; limit: number }): Promise<AuditRecord[]>
  /** Sign-ins and refusals by the hour, for hours that begin from `from` on and before `to`. */
  activity(from: number, to: number): Promise<AuditHour[]>
  /**
   * Declares the entries of whole hours before this time gone, and appends the entry that says so and proves the chain
   * from there on. Atomic, and so done once by however many servers. Undefined: there was nothing to trim. Those entries are
   * not listed from now on; `removeTrimmed` takes them away.
   */
  trim(before: number, entryOf: (trim: AuditTrim) => NewAuditEntry, hashOf: HashOf): Promise<AuditTrim | undefined>
  /** Takes away at most so many trimmed entries. Answers how many it took. */
  removeTrimmed(limit: number): Promise<number>
}
