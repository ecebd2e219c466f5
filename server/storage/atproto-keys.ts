import { type Kysely, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { AtprotoStore } from './port/atproto.ts'
import type { Tables } from './tables.ts'

type ClientKeyVerbs = Pick<AtprotoStore, 'clientKeys' | 'addClientKey' | 'removeOldClientKeys'>

/** The verbs of the keys by which the confidential client proves itself. */
export function createClientKeyVerbs(db: Kysely<Tables>, engine: Engine): ClientKeyVerbs {
  return {
    clientKeys: () =>
      db.selectFrom('atproto_client_keys').selectAll().orderBy('created_at', 'desc').orderBy('kid', 'desc').execute(),

    addClientKey: (key, unless_since) =>
      db.transaction().execute(async (trx) => {
        // Two servers must not each see that there is none: the second waits for the first.
        if (engine.name === 'postgres') await sql`lock table atproto_client_keys in exclusive mode`.execute(trx)
        const young = await trx
          .selectFrom('atproto_client_keys')
          .select('kid')
          .where('created_at', '>=', unless_since)
          .executeTakeFirst()
        if (young) return false
        await trx.insertInto('atproto_client_keys').values(key).execute()
        return true
      }),

    /**
     * Which key a flow needs is sealed in it: the newest of when it began. So no flow needs a key that had a successor
     * before that time already; of the others it is only known that no flow needs them when there is none.
     */
    async removeOldClientKeys(created_before) {
      await sql`delete from atproto_client_keys where created_at < ${created_before}
        and exists (select 1 from atproto_client_keys as newer where newer.created_at > atproto_client_keys.created_at)
        and (
          exists (select 1 from atproto_client_keys as newer
            where newer.created_at > atproto_client_keys.created_at and newer.created_at < ${created_before})
          or not exists (select 1 from atproto_flows))
        and not exists (select 1 from atproto_grants as held
          where held.kid = atproto_client_keys.kid and held.sealed is not null)`.execute(db)
    },
  }
}
