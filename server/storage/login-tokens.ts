import type { Kysely, Transaction } from 'kysely'
import type { LoginTokenStore, NewLoginToken } from './port.ts'
import type { Tables } from './tables.ts'

export function createLoginTokenStore(db: Kysely<Tables>): LoginTokenStore {
  return {
    create: (token, most) =>
      db.transaction().execute(async (trx) => {
        // Two tokens made at once must not each see room for one: the second waits for this row.
        const person = await trx
          .updateTable('users')
          .set({ updated_at: token.created_at })
          .where('user_id', '=', token.login_user_id)
          .executeTakeFirst()
        if (person.numUpdatedRows !== 1n || (await countActive(trx, token)) >= most) return false
        await trx.insertInto('login_tokens').values(token).execute()
        return true
      }),

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

async function countActive(trx: Transaction<Tables>, { login_user_id, created_at }: NewLoginToken): Promise<number> {
  const row = await trx
    .selectFrom('login_tokens')
    .select((select) => select.fn.countAll<number>().as('active'))
    .where('login_user_id', '=', login_user_id)
    .where('used_at', 'is', null)
    .where('deleted_at', 'is', null)
    .where('expires_at', '>', created_at)
    .executeTakeFirstOrThrow()
  return Number(row.active)
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
