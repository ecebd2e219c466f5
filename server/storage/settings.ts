import type { Kysely } from 'kysely'
import type { SettingStore } from './port.ts'
import type { Tables } from './tables.ts'

export function createSettingStore(db: Kysely<Tables>): SettingStore {
  return {
    async all() {
      const rows = await db.selectFrom('settings').selectAll().execute()
      return Object.fromEntries(rows.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]))
    },

    async change(values) {
      const rows = Object.entries(values).map(([name, value]) => ({ name, value: JSON.stringify(value) }))
      if (rows.length === 0) return
      await db
        .insertInto('settings')
        .values(rows)
        .onConflict((conflict) => conflict.column('name').doUpdateSet((row) => ({ value: row.ref('excluded.value') })))
        .execute()
    },
  }
}
