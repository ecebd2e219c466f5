import type { Kysely } from 'kysely'
import type { RecoveryCodeStore } from './port.ts'
import type { Tables } from './tables.ts'

export function createRecoveryCodeStore(db: Kysely<Tables>): RecoveryCodeStore {
  return {
    async count(user_id) {
      const row = await db
        .selectFrom('recovery_codes')
        .select((select) => select.fn.countAll<number>().as('left'))
        .where('user_id', '=', user_id)
        .executeTakeFirstOrThrow()
      return Number(row.left)
    },

    replace: (user_id, hashes) => db.transaction().execute((trx) => insertRecoveryCodes(trx, user_id, hashes)),

    async consume(user_id, hash) {
      const used = await db
        .deleteFrom('recovery_codes')
        .where('user_id', '=', user_id)
        .where('hash', '=', hash)
        .returning('hash')
        .executeTakeFirst()
      return used !== undefined
    },
  }
}

/** The user's recovery codes become exactly these. */
export async function insertRecoveryCodes(db: Kysely<Tables>, user_id: number, hashes: string[]): Promise<void> {
  await db.deleteFrom('recovery_codes').where('user_id', '=', user_id).execute()
  await db
    .insertInto('recovery_codes')
    .values(hashes.map((hash) => ({ user_id, hash })))
    .execute()
}
