import type { Kysely } from 'kysely'
import { beginByExchange, Refused } from './atproto-consumption.ts'
import { linkByExchange } from './atproto-linking.ts'
import type { Engine } from './engine.ts'
import type { AtprotoStore, ExchangeRecord } from './port/atproto.ts'
import { flag } from './rows.ts'
import type { Tables } from './tables.ts'

type ExchangeVerbs = Pick<AtprotoStore, 'createExchange' | 'showExchange' | 'consumeExchange' | 'consumeLink'>

/** The verbs of exchange tokens. One that was consumed is gone: nobody can tell it from one that never was. */
export function createExchangeVerbs(db: Kysely<Tables>, engine: Engine): ExchangeVerbs {
  return {
    createExchange: (exchange, grant) =>
      db.transaction().execute(async (trx) => {
        await trx
          .insertInto('atproto_grants')
          .values({ ...grant, session_id: null, refreshing_since: null })
          .execute()
        await trx
          .insertInto('atproto_exchanges')
          .values({ ...exchange, prompted: flag(exchange.prompted) })
          .execute()
      }),

    async showExchange(token_hash, nonce_hash, now) {
      const row = await db
        .selectFrom('atproto_exchanges')
        .selectAll()
        .where('token_hash', '=', token_hash)
        .where('nonce_hash', '=', nonce_hash)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return row && toExchange(row)
    },

    async consumeExchange(token_hash, nonce_hash, begun, now) {
      const named = { token_hash, nonce_hash, now }
      const done = await orGone(db.transaction().execute((trx) => beginByExchange(trx, engine, named, begun)))
      return done !== 'gone'
    },

    async consumeLink(token_hash, nonce_hash, handle, now) {
      const named = { token_hash, nonce_hash, now }
      const link = () => orGone(db.transaction().execute((trx) => linkByExchange(trx, engine, named, handle)))
      try {
        return await link()
      } catch (error) {
        // Somebody linked the account between our look and our write: now we can see him.
        if (engine.isConflict(error)) return link()
        throw error
      }
    },
  }
}

function toExchange(row: Tables['atproto_exchanges']): ExchangeRecord {
  return { ...row, prompted: row.prompted === 1 }
}

async function orGone<T>(consumed: Promise<T>): Promise<T | 'gone'> {
  try {
    return await consumed
  } catch (error) {
    if (error instanceof Refused) return 'gone'
    throw error
  }
}
