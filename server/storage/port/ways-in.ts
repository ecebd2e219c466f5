/** How a person can come in by himself, again and again. What others must hand him first (tokens of every kind) is none. */
export type Way = 'password' | 'atproto'

export interface WayIn {
  user_id: number
  username: string
  way: Way
}

/**
 * A change was refused, and nothing was changed, because no enabled superuser would have a proven way in afterwards. Proven
 * is what somebody really came in by while it was as it is now, or a password that he chose himself. `last_way_in`: the proven ways
 * that the change would have taken away; none, when there was none before either.
 */
export interface LastWayIn {
  last_way_in: readonly WayIn[]
}

/** An enabled superuser and the proven ways by which he comes in. */
export interface AdministratorsWays {
  user_id: number
  username: string
  ways: Way[]
}
