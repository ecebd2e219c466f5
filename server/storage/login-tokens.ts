import type { Kysely, Transaction } from 'kysely'
import type { LoginTokenStore } from './port.ts'
import type { Tables } from './tables.ts'

export function createLoginTokenStore(db: Kysely<Tables>): LoginTokenStore {
  return {
    async create(token) {
      await db.insertInto('login_tokens').values(token).execute()
    },

    async consume(secret_hash, now, ip) {
      const row = await db
        .updateTable('login_tokens')
        .set({ used_at: now, used_ip: ip })
        .where('secret_hash', '=', secret_hash)
        .where('used_at', 'is', null)
        .where('deleted_at', 'is', null)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst()
      if (!row) return undefined
      const { secret_hash: _, ...record } = row
      return record
    },
  }
}

/** Unused login tokens of this user become worthless. */
export async function voidLoginTokens(trx: Transaction<Tables>, user_id: number, at: number): Promise<void> {
  await trx
    .updateTable('login_tokens')
    .set({ deleted_at: at })
    .where('login_user_id', '=', user_id)
    .where('used_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()
}
