import type { Kysely } from 'kysely'
import type { UserStore } from './port.ts'
import { insertRecoveryCodes } from './recovery-codes.ts'
import type { Tables } from './tables.ts'

/** The verbs of the user store that concern the authenticator app. */
export function createTotpVerbs(
  db: Kysely<Tables>,
): Pick<UserStore, 'beginTotp' | 'confirmTotp' | 'removeTotp' | 'consumeTotpStep'> {
  return {
    async beginTotp(user_id, totp_secret) {
      const result = await db
        .updateTable('users')
        .set({ totp_secret, totp_last_step: 0 })
        .where('user_id', '=', user_id)
        .where('totp_confirmed_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    confirmTotp: (user_id, recovery_hashes, step, at) =>
      db.transaction().execute(async (trx) => {
        const result = await trx
          .updateTable('users')
          .set({ totp_confirmed_at: at, totp_last_step: step })
          .where('user_id', '=', user_id)
          .where('totp_secret', 'is not', null)
          .where('totp_confirmed_at', 'is', null)
          .executeTakeFirst()
        if (result.numUpdatedRows !== 1n) return false
        await insertRecoveryCodes(trx, user_id, recovery_hashes)
        return true
      }),

    removeTotp: (user_id) =>
      db.transaction().execute(async (trx) => {
        const result = await trx
          .updateTable('users')
          .set({ totp_secret: null, totp_confirmed_at: null, totp_last_step: 0 })
          .where('user_id', '=', user_id)
          .where('totp_secret', 'is not', null)
          .executeTakeFirst()
        if (result.numUpdatedRows !== 1n) return false
        await trx.deleteFrom('recovery_codes').where('user_id', '=', user_id).execute()
        await trx.deleteFrom('trusted_devices').where('user_id', '=', user_id).execute()
        return true
      }),

    async consumeTotpStep(user_id, step) {
      const result = await db
        .updateTable('users')
        .set({ totp_last_step: step })
        .where('user_id', '=', user_id)
        .where('totp_last_step', '<', step)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
  }
}
