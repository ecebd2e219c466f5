import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { UserQuery } from './port.ts'
import type { Tables } from './tables.ts'
import { direction, isAfter, isSelective, needleOf, selects, sortValue } from './user-conditions.ts'
import type { Found, UserFinder } from './user-finder.ts'

/** The longest part that the index of parts knows. */
const PART = 3

/** So many users can be looked at one by one, in about 10 ms. */
const FEW = 3_000
const EVERYBODY = 2 ** 31
/** A share of all users that makes a term common. */
const COMMON = 0.05

/**
 * Finds users on PostgreSQL by the narrow table `user_search` and its index of parts, which migration 0002 made. The index
 * gives all matches or none, in no order: good for terms that few users have, and a walk finds the others.
 */
export function createUserSearch(db: Kysely<Tables>): UserFinder {
  const most = 1_000
  return {
    window: 10_000,
    most,

    async countAll() {
      const { rows } = await sql<{ total: number }>`select sum(users)::bigint as total from user_counts`.execute(db)
      return rows[0]?.total ?? 0
    },

    async count(query, share) {
      // The common are soon counted by reading on; the index would list them all before it answers.
      const matching = share < COMMON ? await matches(db, query) : selects(query, 'postgres')
      const { rows } = await sql<{ total: number }>`select count(*) as total from (
        select from user_search where ${matching} limit ${most + 1}) as matching`.execute(db)
      return rows[0]?.total ?? 0
    },

    async gatherFew(query) {
      const found = await gather(db, query, FEW + 1)
      return found.total > FEW ? undefined : found
    },

    gather: (query) => gather(db, query, EVERYBODY),
  }
}

async function gather(db: Kysely<Tables>, query: UserQuery, most: number): Promise<Found> {
  const order = direction(query)
  const { rows } = await sql<{ user_id: number | null; total: number }>`with matching as materialized (
      select user_id, ${sortValue(query, 'postgres')} as value from user_search
      where ${await matches(db, query)} limit ${most})
    select page.user_id, counted.total from (select count(*) as total from matching) as counted
    left join lateral (select user_id, value from matching where ${isAfter(query, sql`value`)}
      order by value ${order}, user_id ${order} limit ${query.limit}) as page on true
    order by page.value ${order}, page.user_id ${order}`.execute(db)
  return { ids: rows.flatMap(({ user_id }) => user_id ?? []), total: rows[0]?.total ?? 0 }
}

/** The condition in the words that make PostgreSQL take the right index: that of parts, or of manager or state. */
async function matches(db: Kysely<Tables>, query: UserQuery): Promise<RawBuilder<boolean>> {
  const whole = selects(query, 'postgres')
  if (!query.q || (await isNarrow(db, { ...query, q: undefined }))) return whole
  return sql`latchkey_grams(search_text) collate "C" @> ${partsOf(needleOf(query))}::text[] and ${whole}`
}

/** Whether manager and state leave so few users that all of them can be looked at. */
async function isNarrow(db: Kysely<Tables>, query: UserQuery): Promise<boolean> {
  if (!isSelective(query)) return false
  const { rows } = await sql<{ few: boolean }>`select count(*) <= ${FEW} as few from (
    select from user_search where ${selects(query, 'postgres')} limit ${FEW + 1}) as matching`.execute(db)
  return rows[0]?.few ?? false
}

/** Parts that together cover the term. Overlapping ones would rule out little more, and each costs a look-up a match. */
function partsOf(term: string): string[] {
  const letters = [...term]
  const parts: string[] = []
  for (let at = 0; at < letters.length; at += PART) {
    const from = Math.max(0, Math.min(at, letters.length - PART))
    parts.push(letters.slice(from, from + PART).join(''))
  }
  return parts
}
