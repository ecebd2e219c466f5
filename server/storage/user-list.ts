import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import type { UserQuery, UserRecord } from './port.ts'
import { toUser } from './rows.ts'
import type { Tables } from './tables.ts'

/** One page of users. The cursor is a row's own sort value and id, so inserts before it move nothing. */
export async function listUsers(db: Kysely<Tables>, query: UserQuery): Promise<{ items: UserRecord[]; total: number }> {
  const matching = db.selectFrom('users').where((where) => where.and(conditions(where, query)))
  const counted = await matching.select((select) => select.fn.countAll<number>().as('total')).executeTakeFirstOrThrow()

  const descending = query.sort.startsWith('-')
  const value = sortValue(query.sort)
  const order = descending ? 'desc' : 'asc'
  let page = matching.selectAll().orderBy(value, order).orderBy('user_id', order).limit(query.limit)
  if (query.after) {
    const comparison = sql.raw(descending ? '<' : '>')
    page = page.where(sql<boolean>`(${value}, user_id) ${comparison} (${query.after.value}, ${query.after.user_id})`)
  }
  return { items: (await page.execute()).map(toUser), total: Number(counted.total) }
}

function sortValue(sort: UserQuery['sort']) {
  switch (sort) {
    case 'username':
    case '-username':
      return sql<string>`username`
    case 'created_at':
    case '-created_at':
      return sql<number>`created_at`
    case 'last_sign_in_at':
    case '-last_sign_in_at':
      return sql<number>`coalesce(last_sign_in_at, 0)`
  }
}

function conditions(where: ExpressionBuilder<Tables, 'users'>, query: UserQuery) {
  const found = []
  if (query.managed_by !== undefined) found.push(where('manager_id', '=', query.managed_by))
  if (query.q) found.push(sql<boolean>`search_text like ${likePattern(query.q)} escape '!'`)
  if (query.state === 'enabled') found.push(where('enabled', '=', 1))
  if (query.state === 'disabled') found.push(where('enabled', '=', 0))
  if (query.state === 'temporary_password') found.push(where('require_password_change', '=', 1))
  if (query.state === 'superuser') found.push(where('superuser', '=', 1))
  return found
}

function likePattern(text: string): string {
  return `%${text.toLowerCase().replace(/[!%_]/g, '!$&')}%`
}
