import { setImmediate } from 'node:timers/promises'
import { type ExpressionBuilder, type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { AtprotoStore, GrantRecord } from './port/atproto.ts'
import type { Tables } from './tables.ts'

type GrantVerbs = Pick<
  AtprotoStore,
  'findGrant' | 'grantOfSession' | 'grantsOfSessions' | 'dueForRefresh' | 'orphanedGrants' | 'deleteGrant'
>

/** The verbs that find grants, and forget them. */
export function createGrantVerbs(db: Kysely<Tables>, engine: Engine): GrantVerbs {
  const grants = db.selectFrom('atproto_grants').selectAll()
  return {
    findGrant: (grant_id) => grants.where('grant_id', '=', grant_id).executeTakeFirst(),

    grantOfSession: (session_id) => grants.where('session_id', '=', session_id).executeTakeFirst(),

    grantsOfSessions: (session_ids) =>
      grants.where('session_id', 'in', listed(engine, session_ids)).orderBy('grant_id').execute(),

    dueForRefresh: (refreshed_before, now, limit) =>
      grants
        .where('sealed', 'is not', null)
        .where('refreshing_since', 'is', null)
        .where('refreshed_at', '<', refreshed_before)
        .where((where) => where.exists(liveSession(where, now)))
        .orderBy('refreshed_at')
        .orderBy('grant_id')
        .limit(limit)
        .execute(),

    orphanedGrants: (now, limit) => findOrphans(db, now, limit),

    async deleteGrant(grant_id) {
      await db.deleteFrom('atproto_grants').where('grant_id', '=', grant_id).execute()
    },
  }
}

/** Grants whose sessions are looked up in one go: about 2 ms. Other requests get their turn in between. */
const LOOKED_AT_ONCE = 500

/** Along the index of sessions, which spares reading the grants: of 100,000 that are all alive this takes half a second in all. */
async function findOrphans(db: Kysely<Tables>, now: number, limit: number): Promise<GrantRecord[]> {
  const grants = db.selectFrom('atproto_grants').selectAll()
  const orphans = await grants
    .where('session_id', 'is', null)
    .where((where) => where.not(where.exists(liveExchange(where, now))))
    .limit(limit)
    .execute()
  for (let after: string | undefined = ''; after !== undefined && orphans.length < limit; await setImmediate()) {
    const through = await endOfStretch(db, after)
    const found = await grants
      .where('session_id', '>', after)
      .$if(through !== undefined, (select) => select.where('session_id', '<=', through ?? ''))
      .where((where) => where.not(where.exists(liveSession(where, now))))
      .orderBy('session_id')
      .limit(limit - orphans.length)
      .execute()
    orphans.push(...found)
    after = through
  }
  return orphans
}

async function endOfStretch(db: Kysely<Tables>, after: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('atproto_grants')
    .select('session_id')
    .where('session_id', '>', after)
    .orderBy('session_id')
    .offset(LOOKED_AT_ONCE - 1)
    .limit(1)
    .executeTakeFirst()
  return row?.session_id ?? undefined
}

type OfGrant = ExpressionBuilder<Tables, 'atproto_grants'>

function liveSession(of: OfGrant, now: number) {
  return of
    .selectFrom('sessions')
    .select(sql.lit(1).as('one'))
    .whereRef('sessions.session_id', '=', 'atproto_grants.session_id')
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
}

function liveExchange(of: OfGrant, now: number) {
  return of
    .selectFrom('atproto_exchanges')
    .select(sql.lit(1).as('one'))
    .whereRef('atproto_exchanges.grant_id', '=', 'atproto_grants.grant_id')
    .where('atproto_exchanges.expires_at', '>', now)
}
