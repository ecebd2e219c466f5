import type { Kysely } from 'kysely'
import type { SettingStore } from './port.ts'
import type { Tables } from './tables.ts'

export function createSettingStore(db: Kysely<Tables>): SettingStore {
  return {
    async all() {
      const rows = await db.selectFrom('settings').selectAll().execute()
      return Object.fromEntries(rows.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]))
    },

    async set(name, value) {
      const text = JSON.stringify(value)
      await db
        .insertInto('settings')
        .values({ name, value: text })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: text }))
        .execute()
    },
  }
}
