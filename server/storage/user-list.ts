import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { UserQuery, UserRecord, UserStore } from './port.ts'
import { toUser, USER_COLUMNS } from './rows.ts'
import type { Tables } from './tables.ts'
import { direction, isAfter, isSelective, selects, sortValue } from './user-conditions.ts'
import { createUserDirectory } from './user-directory.ts'
import type { Found, UserFinder } from './user-finder.ts'
import { createUserSearch } from './user-search.ts'

/** A page is read again when somebody on it was deleted meanwhile; a list that loses people all the time is given up on. */
const TRIES = 3
/** As many people of one manager are looked at one by one. */
const FEW_MANAGED = 1_000
/** So many times as far goes the second walk. */
const FURTHER = 4

/**
 * Pages of users. The cursor is a row's own sort value and id, so inserts before it move nothing.
 *
 * A page of all users is read along the index of its order. A page of some is, too, as long as they are common: the walk
 * looks at a bounded number of rows. Where it does not come by enough of them, they are rare, or lie elsewhere in the
 * order, and the engine's own finder gathers them all and sorts.
 */
export function createUserList(db: Kysely<Tables>, engine: Engine): UserStore['list'] {
  const finder = engine.name === 'postgres' ? createUserSearch(db) : createUserDirectory(db, engine)

  return async (query) => {
    for (let left = TRIES; ; left--) {
      const found = isSelective(query)
        ? await findSome(db, engine, finder, query)
        : await findAll(db, engine, finder, query)
      const items = await readUsers(db, found.ids)
      if (left > 1 && items.length < found.ids.length) continue
      const total_exact = found.total <= finder.most || !isSelective(query)
      return { items, total: total_exact ? found.total : finder.most, total_exact }
    }
  }
}

async function findAll(db: Kysely<Tables>, engine: Engine, finder: UserFinder, query: UserQuery): Promise<Found> {
  const value = sortValue(query, engine.name)
  const order = direction(query)
  const { rows } = await sql<{ user_id: number }>`select user_id from users where ${isAfter(query, value)}
    order by ${value} ${order}, user_id ${order} limit ${query.limit}`.execute(db)
  return { ids: rows.map(({ user_id }) => user_id), total: await finder.countAll() }
}

async function findSome(db: Kysely<Tables>, engine: Engine, finder: UserFinder, query: UserQuery): Promise<Found> {
  const managed = query.managed_by === undefined ? undefined : await findManaged(db, engine, query)
  if (managed) return managed
  const { window, most } = finder
  const ids = await walk(db, engine, query, window, most + 1)
  let seen = ids.length
  if (seen < query.limit) {
    // Few are left of the order's last rows, or few are found anywhere: the walk says nothing about which.
    if (!query.after || (await countNext(db, engine, query, window)) === window)
      return findRare(db, engine, finder, query)
    seen = (await walk(db, engine, { ...query, after: undefined }, window, most + 1)).length
  }
  return { ids: ids.slice(0, query.limit), total: seen > most ? seen : await finder.count(query, seen / window) }
}

/** Looks at all whom one person manages, by their own index; undefined when they are too many. */
async function findManaged(db: Kysely<Tables>, engine: Engine, query: UserQuery): Promise<Found | undefined> {
  const value = sortValue(query, engine.name)
  const order = direction(query)
  const wanted = selects(query, engine.name)
  const managed = sql`(
      select ${value} as value, user_id, search_text, manager_id, enabled, superuser, require_password_change
      from users where manager_id = ${query.managed_by} limit ${FEW_MANAGED + 1}
    ) as managed`
  const counted = await sql<{ managed: number; total: number }>`
    select count(*) as managed, coalesce(sum(case when ${wanted} then 1 else 0 end), 0) as total
    from ${managed}`.execute(db)
  const { managed: all, total } = counted.rows[0] ?? { managed: 0, total: 0 }
  if (Number(all) > FEW_MANAGED) return undefined
  const { rows } = await sql<{ user_id: number }>`select user_id from ${managed}
    where ${wanted} and ${isAfter(query, sql`value`)}
    order by value ${order}, user_id ${order} limit ${query.limit}`.execute(db)
  return { ids: rows.map(({ user_id }) => user_id), total: Number(total) }
}

/** Few are gathered. Many that the walk did not meet lie a little further on, or at the other end: the costly case. */
async function findRare(db: Kysely<Tables>, engine: Engine, finder: UserFinder, query: UserQuery): Promise<Found> {
  const few = await finder.gatherFew(query)
  if (few) return few
  const ids = await walk(db, engine, query, finder.window * FURTHER, query.limit)
  return ids.length === query.limit ? { ids, total: finder.most + 1 } : finder.gather(query)
}

/**
 * Matches among the next rows in order: those of the page and, as far as they are there, as many as are counted at most.
 * The inner limit is a fence: the rows are looked at in the order of the index, and no more of them.
 */
async function walk(
  db: Kysely<Tables>,
  engine: Engine,
  query: UserQuery,
  window: number,
  most: number,
): Promise<number[]> {
  const value = sortValue(query, engine.name)
  const order = direction(query)
  const { rows } = await sql<{ user_id: number }>`select user_id from (
      select ${value} as value, user_id, search_text, manager_id, enabled, superuser, require_password_change
      from users where ${isAfter(query, value)} order by ${value} ${order}, user_id ${order} limit ${window}
    ) as next where ${selects(query, engine.name)}
    order by value ${order}, user_id ${order} limit ${most}`.execute(db)
  return rows.map(({ user_id }) => user_id)
}

/** How many rows the list still has behind the cursor, whether they match or not. */
async function countNext(db: Kysely<Tables>, engine: Engine, query: UserQuery, most: number): Promise<number> {
  const value = sortValue(query, engine.name)
  const { rows } = await sql<{ next: number }>`select count(*) as next from (
    select 1 from users where ${isAfter(query, value)} limit ${most}) as next`.execute(db)
  return rows[0]?.next ?? 0
}

/** The users with these ids, in this order. */
async function readUsers(db: Kysely<Tables>, ids: readonly number[]): Promise<UserRecord[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('users').select(USER_COLUMNS).where('user_id', 'in', ids).execute()
  const byId = new Map(rows.map((row) => [row.user_id, row]))
  return ids.flatMap((id) => {
    const row = byId.get(id)
    return row ? [toUser(row)] : []
  })
}
