import type { Kysely } from 'kysely'
import type { Tables } from './tables.ts'

const NAME = 'key_check'

/** The verb `keyCheck` of the port. Whoever comes second finds what the first has kept. */
export async function keepKeyCheck(db: Kysely<Tables>, fresh: string): Promise<string> {
  const kept = await read(db)
  if (kept !== undefined) return kept
  await db
    .insertInto('meta')
    .values({ name: NAME, value: fresh })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return (await read(db)) ?? fresh
}

async function read(db: Kysely<Tables>): Promise<string | undefined> {
  const row = await db.selectFrom('meta').select('value').where('name', '=', NAME).executeTakeFirst()
  return row?.value
}
