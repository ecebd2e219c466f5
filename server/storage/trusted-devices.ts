import type { Kysely } from 'kysely'
import type { TrustedDeviceStore } from './port.ts'
import type { Tables } from './tables.ts'

export function createTrustedDeviceStore(db: Kysely<Tables>): TrustedDeviceStore {
  return {
    async create(device) {
      await db.insertInto('trusted_devices').values(device).execute()
    },

    async use(user_id, secret_hash, now) {
      const result = await db
        .updateTable('trusted_devices')
        .set({ last_used_at: now })
        .where('user_id', '=', user_id)
        .where('secret_hash', '=', secret_hash)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return result.numUpdatedRows > 0n
    },

    list: (user_id, now) =>
      db
        .selectFrom('trusted_devices')
        .selectAll()
        .where('user_id', '=', user_id)
        .where('expires_at', '>', now)
        .orderBy('last_used_at', 'desc')
        .execute(),

    async remove(device_id, user_id) {
      const result = await db
        .deleteFrom('trusted_devices')
        .where('device_id', '=', device_id)
        .where('user_id', '=', user_id)
        .executeTakeFirst()
      return result.numDeletedRows > 0n
    },
  }
}
