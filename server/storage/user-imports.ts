import { type Kysely, sql, type Transaction } from 'kysely'
import type { ImportReason } from '../../api/user-imports.ts'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { UserImportStore } from './port/user-imports.ts'
import type { Tables } from './tables.ts'
import { heartbeatOf, progressOf, removeSomeParts } from './user-import-rows.ts'
import { createImportRunVerbs } from './user-import-runs.ts'

export function createUserImportStore(db: Kysely<Tables>, engine: Engine): UserImportStore {
  return {
    async begin(import_id, begun_by, at) {
      const forgotten = await db.transaction().execute(async (trx) => {
        const earlier = await trx
          .selectFrom('user_imports')
          .select(['import_no', 'state'])
          .where('begun_by', '=', begun_by)
          .execute()
        if (earlier.some(({ state }) => state === 'running' || state === 'undoing')) return undefined
        // One that was set running since is not among those removed.
        await trx
          .deleteFrom('user_imports')
          .where('begun_by', '=', begun_by)
          .where('state', 'not in', ['running', 'undoing'])
          .execute()
        await trx
          .insertInto('user_imports')
          .values(emptyImport(import_id, begun_by, at))
          .execute()
        return earlier
      })
      if (!forgotten) return false
      for (const { import_no } of forgotten) await removeParts(db, import_no)
      return true
    },

    async find(import_id) {
      const row = await db
        .selectFrom('user_imports')
        .select(['import_id', 'begun_by', 'state', 'rows', 'next_part'])
        .select(['done', 'faulty', 'faults', 'imported', 'reason'])
        .where('import_id', '=', import_id)
        .executeTakeFirst()
      return row && { ...row, faults: JSON.parse(row.faults) }
    },

    addPart: (import_id, part, limits, at) =>
      db.transaction().execute(async (trx) => {
        // The update holds the row: of two tries with one part the second finds the next one expected.
        const row = await trx
          .updateTable('user_imports')
          .set((its) => ({
            next_part: part.part + 1,
            rows: its('rows', '+', part.count),
            characters: its('characters', '+', part.rows.length),
            heartbeat_at: at,
          }))
          .where('import_id', '=', import_id)
          .where('state', '=', 'receiving')
          .where('next_part', '=', part.part)
          .where('rows', '<=', limits.rows - part.count)
          .where('characters', '<=', limits.characters - part.rows.length)
          .returning(['import_no', 'rows'])
          .executeTakeFirst()
        if (!row) return refusePart(trx, import_id, part.part)
        await trx
          .insertInto('user_import_parts')
          .values({ import_no: row.import_no, part: part.part, rows: part.rows, faulty: '[]' })
          .execute()
        return row.rows
      }),

    async part(import_id, part) {
      const row = await db
        .selectFrom('user_import_parts')
        .innerJoin('user_imports', 'user_imports.import_no', 'user_import_parts.import_no')
        .select(['user_import_parts.rows', 'user_import_parts.faulty'])
        .where('import_id', '=', import_id)
        .where('part', '=', part)
        .executeTakeFirst()
      return row && { rows: row.rows, faulty: JSON.parse(row.faulty) }
    },

    async taken({ usernames, emails }) {
      const named = await db
        .selectFrom('users')
        .select('username')
        .where('username', 'in', listed(engine, usernames))
        .execute()
      const mailed = await db.selectFrom('users').select('email').where('email', 'in', listed(engine, emails)).execute()
      return {
        usernames: new Set(named.map(({ username }) => username)),
        emails: new Set(mailed.map(({ email }) => email ?? '')),
      }
    },

    async beginCheck(import_id, by) {
      const result = await db
        .updateTable('user_imports')
        .set({ state: 'checking', done: 0, faulty: 0, faults: '[]', reason: null, ...heartbeatOf(by) })
        .where('import_id', '=', import_id)
        .where('state', 'in', ['receiving', 'checked'])
        .where('rows', '>', 0)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    noteChecked: (import_id, by, part, progress) =>
      db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('user_imports')
          .set({ ...progressOf(progress), heartbeat_at: by.at })
          .where('import_id', '=', import_id)
          .where('state', '=', 'checking')
          .where('runner', '=', by.runner)
          .returning('import_no')
          .executeTakeFirst()
        if (!row) return false
        await trx
          .updateTable('user_import_parts')
          .set({ faulty: JSON.stringify(part.faulty) })
          .where('import_no', '=', row.import_no)
          .where('part', '=', part.part)
          .execute()
        return true
      }),

    async endCheck(import_id, by) {
      const result = await db
        .updateTable('user_imports')
        .set({ state: 'checked', runner: null, heartbeat_at: by.at })
        .where('import_id', '=', import_id)
        .where('state', '=', 'checking')
        .where('runner', '=', by.runner)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    ...createImportRunVerbs(db, engine),

    async beat(import_ids, { runner, at }) {
      await db
        .updateTable('user_imports')
        .set({ heartbeat_at: at })
        .where('import_id', 'in', listed(engine, import_ids))
        .where('runner', '=', runner)
        .execute()
    },

    async takeOver(by, before) {
      await giveUpChecks(db, before)
      return db
        .updateTable('user_imports')
        .set({ state: 'undoing', reason: sql<ImportReason>`coalesce(reason, 'interrupted')`, ...heartbeatOf(by) })
        .where('state', 'in', ['running', 'undoing'])
        .where('heartbeat_at', '<', before)
        .returning(['import_id', 'begun_by'])
        .execute()
    },

    async release(runner) {
      await db.updateTable('user_imports').set({ heartbeat_at: 0 }).where('runner', '=', runner).execute()
    },

    async forget(import_id) {
      const row = await db
        .deleteFrom('user_imports')
        .where('import_id', '=', import_id)
        .where('state', 'not in', ['running', 'undoing'])
        .returning('import_no')
        .executeTakeFirst()
      if (row) await removeParts(db, row.import_no)
      return row !== undefined
    },

    async sweep(before) {
      await db
        .deleteFrom('user_imports')
        .where('heartbeat_at', '<', before)
        .where('state', 'not in', ['running', 'undoing'])
        .execute()
      // Those of a server that ended between an import and its parts, too.
      const orphans = await db
        .selectFrom('user_import_parts')
        .select('import_no')
        .distinct()
        .where('import_no', 'not in', (its) => its.selectFrom('user_imports').select('import_no'))
        .execute()
      for (const { import_no } of orphans) await removeParts(db, import_no)
    },
  }
}

function emptyImport(import_id: string, begun_by: number, at: number) {
  const none = { rows: 0, characters: 0, next_part: 0, done: 0, faulty: 0, faults: '[]', imported: 0 }
  return { import_id, begun_by, state: 'receiving' as const, ...none, heartbeat_at: at }
}

async function refusePart(
  trx: Transaction<Tables>,
  import_id: string,
  part: number,
): Promise<number | 'state' | 'limits'> {
  const row = await trx
    .selectFrom('user_imports')
    .select(['state', 'next_part', 'rows'])
    .where('import_id', '=', import_id)
    .executeTakeFirst()
  if (row?.state !== 'receiving') return 'state'
  if (row.next_part === part + 1) return row.rows
  return row.next_part === part ? 'limits' : 'state'
}

async function giveUpChecks(db: Kysely<Tables>, before: number): Promise<void> {
  await db
    .updateTable('user_imports')
    .set({ state: 'receiving', reason: 'interrupted', runner: null })
    .where('state', '=', 'checking')
    .where('heartbeat_at', '<', before)
    .execute()
}

/** Removes the parts of an import that is gone, a few at a time. */
async function removeParts(db: Kysely<Tables>, import_no: number): Promise<void> {
  while (await removeSomeParts(db, import_no));
}
