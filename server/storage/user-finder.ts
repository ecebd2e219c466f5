import type { UserQuery } from './port.ts'

/** How an engine finds the users that a query selects where walking along the list would take too long. */
export interface UserFinder {
  /** So many rows of the list may be looked at in order before the engine gathers the matches in its own way. */
  window: number
  /** Nobody counts further than this. */
  most: number
  /** How many users there are, exactly. */
  countAll(): Promise<number>
  /** How many users the query selects, or more than `most`; `share` of those that were looked at are. */
  count(query: UserQuery, share: number): Promise<number>
  /** The ids of the page in its order, and how many users the query selects in all; undefined: too many to gather soon. */
  gatherFew(query: UserQuery): Promise<Found | undefined>
  /** The same however many they are. */
  gather(query: UserQuery): Promise<Found>
}

export interface Found {
  ids: number[]
  total: number
}
