import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { UserQuery } from './port.ts'

/** The pieces of SQL that every way to list users is made of. They name columns that each of them has. */

/** What a list is ordered by; ties are broken by the id. */
export function sortValue({ sort }: UserQuery, engine: Engine['name']): RawBuilder<string | number> {
  switch (sort) {
    case 'username':
    case '-username':
      return sql`username`
    case 'created_at':
    case '-created_at':
      return sql`created_at`
    case 'last_sign_in_at':
    case '-last_sign_in_at':
      return engine === 'postgres' ? sql`coalesce(last_sign_in_at, 0)` : sql`signed_in_at`
  }
}

export const isDescending = ({ sort }: UserQuery): boolean => sort.startsWith('-')

export function direction(query: UserQuery): RawBuilder<unknown> {
  return sql.raw(isDescending(query) ? 'desc' : 'asc')
}

/** Behind the cursor; true for all where there is none. */
export function isAfter(query: UserQuery, value: RawBuilder<string | number>): RawBuilder<boolean> {
  const { after } = query
  if (!after) return sql`1 = 1`
  return sql`(${value}, user_id) ${sql.raw(isDescending(query) ? '<' : '>')} (${after.value}, ${after.user_id})`
}

/** Whether a query selects some users, or lists all. */
export const isSelective = ({ q, state, managed_by }: UserQuery): boolean =>
  Boolean(q) || state !== undefined || managed_by !== undefined

/** What is searched for, in the letters in which `search_text` holds it. */
export const needleOf = ({ q = '' }: UserQuery): string => q.toLowerCase()

export function selects(query: UserQuery, engine: Engine['name']): RawBuilder<boolean> {
  const found: RawBuilder<boolean>[] = []
  if (query.managed_by !== undefined) found.push(sql`manager_id = ${query.managed_by}`)
  if (query.state === 'enabled') found.push(sql`enabled = 1`)
  if (query.state === 'disabled') found.push(sql`enabled = 0`)
  if (query.state === 'temporary_password') found.push(sql`require_password_change = 1`)
  if (query.state === 'superuser') found.push(sql`superuser = 1`)
  const position = sql.raw(engine === 'postgres' ? 'strpos' : 'instr')
  if (query.q) found.push(sql`${position}(search_text, ${needleOf(query)}) > 0`)
  return found.length === 0 ? sql`1 = 1` : sql.join(found, sql` and `)
}
