import type { Kysely } from 'kysely'
import type { ImportProgress, Runner } from './port/user-imports.ts'
import type { Tables } from './tables.ts'

/** Parts removed at a time: a megabyte or less, so that nobody waits for it. */
const PARTS_AT_ONCE = 16

export function heartbeatOf({ runner, at }: Runner): { runner: string; heartbeat_at: number } {
  return { runner, heartbeat_at: at }
}

/** Progress as columns. */
export function progressOf({ done, faulty, faults }: ImportProgress) {
  return { done, faulty, ...(faults ? { faults: JSON.stringify(faults) } : {}) }
}

/** Removes a few parts of an import; whether there may be more. */
export async function removeSomeParts(db: Kysely<Tables>, import_no: number): Promise<boolean> {
  const result = await db
    .deleteFrom('user_import_parts')
    .where('import_no', '=', import_no)
    .where('part', 'in', (its) =>
      its.selectFrom('user_import_parts').select('part').where('import_no', '=', import_no).limit(PARTS_AT_ONCE),
    )
    .executeTakeFirst()
  return result.numDeletedRows === BigInt(PARTS_AT_ONCE)
}
