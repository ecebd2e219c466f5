import type { Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { Runner, UserImportStore } from './port/user-imports.ts'
import type { Tables } from './tables.ts'
import { Conflicts, insertBatch } from './user-import-batch.ts'
import { heartbeatOf, progressOf, removeSomeParts } from './user-import-rows.ts'

type RunVerbs = Pick<UserImportStore, 'beginRun' | 'insert' | 'beginUndo' | 'undoSome'>

/** The verbs of an import that makes users, or takes them back. */
export function createImportRunVerbs(db: Kysely<Tables>, engine: Engine): RunVerbs {
  return {
    async beginRun(import_id, by, skip_faulty) {
      const begun = await db
        .updateTable('user_imports')
        .set({ state: 'running', done: 0, imported: 0, reason: null, ...heartbeatOf(by) })
        .where('import_id', '=', import_id)
        .where('state', '=', 'checked')
        .$if(!skip_faulty, (update) => update.where('faulty', '=', 0))
        .executeTakeFirst()
      if (begun.numUpdatedRows === 1n) return 'begun'
      const row = await db
        .selectFrom('user_imports')
        .select('state')
        .where('import_id', '=', import_id)
        .executeTakeFirst()
      return row?.state === 'checked' ? 'faulty' : 'state'
    },

    async insert(import_id, by, batch) {
      try {
        return await db.transaction().execute((trx) => insertBatch(trx, engine, import_id, by, batch))
      } catch (error) {
        if (error instanceof Conflicts) return error.found
        throw error
      }
    },

    async beginUndo(import_id, by, reason, found) {
      const result = await db
        .updateTable('user_imports')
        .set({ state: 'undoing', reason, ...(found ? progressOf(found) : {}), ...heartbeatOf(by) })
        .where('import_id', '=', import_id)
        .where('state', '=', 'running')
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    undoSome: (import_id, by, limit) => db.transaction().execute((trx) => undoSome(trx, import_id, by, limit)),
  }
}

async function undoSome(
  trx: Transaction<Tables>,
  import_id: string,
  { at }: Runner,
  limit: number,
): Promise<'more' | 'undone' | 'gone'> {
  // Holds the row: servers that undo the same import take turns.
  const row = await trx
    .updateTable('user_imports')
    .set({ heartbeat_at: at })
    .where('import_id', '=', import_id)
    .where('state', '=', 'undoing')
    .returning('import_no')
    .executeTakeFirst()
  if (!row) return 'gone'
  const { import_no } = row
  const removed = await removeUsers(trx, import_no, limit)
  if (removed > 0) {
    await trx
      .updateTable('user_imports')
      .set((its) => ({ imported: its('imported', '-', removed) }))
      .where('import_no', '=', import_no)
      .execute()
  }
  if (removed === limit || (await removeSomeParts(trx, import_no))) return 'more'
  // Somebody made him a superuser by hand meanwhile: perhaps he is the last one.
  await trx.updateTable('users').set({ import_no: null }).where('import_no', '=', import_no).execute()
  await trx
    .updateTable('user_imports')
    .set({ state: 'undone', runner: null, imported: 0 })
    .where('import_no', '=', import_no)
    .execute()
  return 'undone'
}

/** The youngest first: a manager goes after those whom he manages. */
async function removeUsers(trx: Transaction<Tables>, import_no: number, limit: number): Promise<number> {
  const result = await trx
    .deleteFrom('users')
    .where('user_id', 'in', (its) =>
      its
        .selectFrom('users')
        .select('user_id')
        .where('import_no', '=', import_no)
        .where('superuser', '=', 0)
        .orderBy('user_id', 'desc')
        .limit(limit),
    )
    .executeTakeFirst()
  return Number(result.numDeletedRows)
}
