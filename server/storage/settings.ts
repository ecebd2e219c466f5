import type { Kysely } from 'kysely'
import type { SettingStore } from './port.ts'
import type { Tables } from './tables.ts'
import { refuseLastWayIn, serialiseSuperuserEdits } from './ways-in.ts'

export function createSettingStore(db: Kysely<Tables>): SettingStore {
  return {
    async all() {
      const rows = await db.selectFrom('settings').selectAll().execute()
      return Object.fromEntries(rows.map(({ name, value }): [string, unknown] => [name, JSON.parse(value)]))
    },

    async change(values, at) {
      if (values['atproto_enabled'] !== false) return store(db, values)
      return db.transaction().execute(async (trx) => {
        await serialiseSuperuserEdits(trx)
        const refusal = await refuseLastWayIn(trx, at, ({ way }) => way === 'atproto')
        return refusal ?? (await store(trx, values))
      })
    },
  }
}

async function store(db: Kysely<Tables>, values: Record<string, unknown>): Promise<'done'> {
  const rows = Object.entries(values).map(([name, value]) => ({ name, value: JSON.stringify(value) }))
  if (rows.length === 0) return 'done'
  await db
    .insertInto('settings')
    .values(rows)
    .onConflict((conflict) => conflict.column('name').doUpdateSet((row) => ({ value: row.ref('excluded.value') })))
    .execute()
  return 'done'
}
