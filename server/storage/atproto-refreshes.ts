import type { Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { AtprotoStore } from './port/atproto.ts'
import type { Tables } from './tables.ts'

type RefreshVerbs = Pick<
  AtprotoStore,
  'beginRefresh' | 'finishRefresh' | 'releaseRefresh' | 'endGrant' | 'endLostRefreshes'
>

/**
 * The verbs that change a grant. A grant without tokens is dead, and nothing brings it back. Whoever needs both rows writes
 * the grant first and its session after it.
 */
export function createRefreshVerbs(db: Kysely<Tables>, engine: Engine): RefreshVerbs {
  return {
    async beginRefresh(grant_id, at) {
      const result = await db
        .updateTable('atproto_grants')
        .set({ refreshing_since: at })
        .where('grant_id', '=', grant_id)
        .where('sealed', 'is not', null)
        .where('refreshing_since', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    finishRefresh: (grant_id, begun_at, { scope, refreshed_at, sealed }) =>
      db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('atproto_grants')
          .set({ scope, refreshed_at, sealed, refreshing_since: null })
          .where('grant_id', '=', grant_id)
          .where('sealed', 'is not', null)
          .where('refreshing_since', '=', begun_at)
          .returning('session_id')
          .executeTakeFirst()
        if (row?.session_id) await setScope(trx, engine, [row.session_id], scope)
        return row !== undefined
      }),

    async releaseRefresh(grant_id, begun_at) {
      await db
        .updateTable('atproto_grants')
        .set({ refreshing_since: null })
        .where('grant_id', '=', grant_id)
        .where('refreshing_since', '=', begun_at)
        .execute()
    },

    endGrant: (grant_id) =>
      db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('atproto_grants')
          .set({ sealed: null, refreshing_since: null })
          .where('grant_id', '=', grant_id)
          .where('sealed', 'is not', null)
          .returning('session_id')
          .executeTakeFirst()
        if (row?.session_id) await setScope(trx, engine, [row.session_id], '')
        return row !== undefined
      }),

    endLostRefreshes: (sent_before) =>
      db.transaction().execute(async (trx) => {
        const lost = await trx
          .selectFrom('atproto_grants')
          .selectAll()
          .where('refreshing_since', '<', sent_before)
          .orderBy('refreshing_since')
          .orderBy('grant_id')
          .$if(engine.name === 'postgres', (select) => select.forUpdate())
          .execute()
        if (lost.length === 0) return []
        const ids = lost.map(({ grant_id }) => grant_id)
        await trx
          .updateTable('atproto_grants')
          .set({ sealed: null, refreshing_since: null })
          .where('grant_id', 'in', listed(engine, ids))
          .execute()
        await setScope(
          trx,
          engine,
          lost.flatMap(({ session_id }) => session_id ?? []),
          '',
        )
        return lost
      }),
  }
}

async function setScope(
  trx: Transaction<Tables>,
  engine: Engine,
  session_ids: readonly string[],
  scope: string,
): Promise<void> {
  await trx.updateTable('sessions').set({ scope }).where('session_id', 'in', listed(engine, session_ids)).execute()
}
