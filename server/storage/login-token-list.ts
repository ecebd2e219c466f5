import { type Kysely, type SelectQueryBuilder, sql } from 'kysely'
import type { LoginTokenState } from '../../api/login-tokens.ts'
import type { ListedLoginToken, LoginTokenQuery, LoginTokenStore } from './port.ts'
import type { Tables } from './tables.ts'

/** Matches are counted so far. */
const MOST_COUNTED = 1_000

/**
 * Login tokens with both of their people, in one query. Their identifiers tell when they were made, so the order is theirs, and
 * a cursor is the last one seen: what is made meanwhile moves nothing.
 */
export function createLoginTokenList(db: Kysely<Tables>): Pick<LoginTokenStore, 'find' | 'list'> {
  return {
    async find(uuid) {
      const row = await selectListed(db).where('login_tokens.uuid', '=', uuid).executeTakeFirst()
      return row && toListed(row)
    },

    async list(query) {
      const { limit, after } = query
      const rows = await select(selectListed(db), query)
        .$if(after !== undefined, (page) => page.where('login_tokens.uuid', '<', after ?? ''))
        .orderBy('login_tokens.uuid', 'desc')
        .limit(limit)
        .execute()
      const some = select(from(db), query)
        .select(sql<number>`1`.as('one'))
        .limit(MOST_COUNTED + 1)
      const counted = await db
        .selectFrom(some.as('some'))
        .select((count) => count.fn.countAll<number>().as('matches'))
        .executeTakeFirstOrThrow()
      const matches = Number(counted.matches)
      return {
        items: rows.map(toListed),
        total: Math.min(matches, MOST_COUNTED),
        total_exact: matches <= MOST_COUNTED,
      }
    },
  }
}

function from(db: Kysely<Tables>) {
  return db
    .selectFrom('login_tokens')
    .leftJoin('users as maker', 'maker.user_id', 'login_tokens.user_id')
    .leftJoin('users as person', 'person.user_id', 'login_tokens.login_user_id')
}

function selectListed(db: Kysely<Tables>) {
  return from(db)
    .select([
      'login_tokens.uuid',
      'login_tokens.user_id',
      'login_tokens.login_user_id',
      'login_tokens.reason',
      'login_tokens.redirect_to',
      'login_tokens.created_at',
      'login_tokens.expires_at',
      'login_tokens.used_at',
      'login_tokens.used_ip',
      'login_tokens.deleted_at',
    ])
    .select(['maker.username as maker_username', 'maker.display_name as maker_display_name'])
    .select(['person.username as person_username', 'person.display_name as person_display_name'])
}

type Joined = ReturnType<typeof from> extends SelectQueryBuilder<infer DB, infer TB, object> ? [DB, TB] : never

function select<Row>(rows: SelectQueryBuilder<Joined[0], Joined[1], Row>, query: LoginTokenQuery) {
  const { status, login_user_id, user_id, managed_by, now } = query
  return rows
    .$if(status !== undefined, (some) => some.where(isIn(status ?? 'active', now)))
    .$if(login_user_id !== undefined, (some) => some.where('login_tokens.login_user_id', '=', login_user_id ?? 0))
    .$if(user_id !== undefined, (some) => some.where('login_tokens.user_id', '=', user_id ?? 0))
    .$if(managed_by !== undefined, (some) =>
      some.where('person.manager_id', '=', managed_by ?? 0).where('person.superuser', '=', 0),
    )
}

function isIn(status: LoginTokenState, now: number) {
  const unused = sql`login_tokens.used_at is null`
  const standing = sql`login_tokens.deleted_at is null`
  switch (status) {
    case 'active':
      return sql<boolean>`${unused} and ${standing} and login_tokens.expires_at > ${now}`
    case 'used':
      return sql<boolean>`login_tokens.used_at is not null`
    case 'revoked':
      return sql<boolean>`${unused} and login_tokens.deleted_at is not null`
    case 'expired':
      return sql<boolean>`${unused} and ${standing} and login_tokens.expires_at <= ${now}`
  }
}

type Row = Awaited<ReturnType<ReturnType<typeof selectListed>['execute']>>[number]

function toListed(row: Row): ListedLoginToken {
  const { maker_username, maker_display_name, person_username, person_display_name, ...token } = row
  return {
    token,
    user: toPerson(token.user_id, maker_username, maker_display_name),
    login_user: toPerson(token.login_user_id, person_username, person_display_name),
  }
}

function toPerson(user_id: number, username: string | null, display_name: string | null) {
  return username === null ? null : { user_id, username, display_name }
}
