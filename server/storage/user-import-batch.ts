import { sql, type Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { ImportBatch, ImportConflict, ImportedUser, Runner } from './port/user-imports.ts'
import { flag, searchTextOf } from './rows.ts'
import type { Tables } from './tables.ts'
import { progressOf } from './user-import-rows.ts'

/** Takes a transaction back and carries the reason out of it. */
export class Conflicts extends Error {
  readonly found: ImportConflict[]
  constructor(found: ImportConflict[]) {
    super('Some users of the batch cannot be made')
    this.found = found
  }
}

/** Makes the users of a batch and notes how far the run is; rejects with `Conflicts` when some cannot be made. */
export async function insertBatch(
  trx: Transaction<Tables>,
  engine: Engine,
  import_id: string,
  { runner, at }: Runner,
  { after, users, finished, last, ...progress }: ImportBatch,
): Promise<'inserted' | 'gone'> {
  // First of all: it holds the row until the end, so that nobody begins to undo while users are being made.
  const row = await trx
    .updateTable('user_imports')
    .set((its) => ({ ...progressOf(progress), imported: its('imported', '+', users.length), heartbeat_at: at }))
    .where('import_id', '=', import_id)
    .where('state', '=', 'running')
    .where('runner', '=', runner)
    .where('done', '=', after)
    .returning('import_no')
    .executeTakeFirst()
  if (!row) return 'gone'
  const { import_no } = row
  if (users.length > 0) await insertUsers(trx, engine, users, import_no, at)
  if (finished !== undefined) {
    await trx.deleteFrom('user_import_parts').where('import_no', '=', import_no).where('part', '=', finished).execute()
  }
  if (last) await finish(trx, engine, import_no, last.superusers)
  return 'inserted'
}

/** All of them, or `Conflicts`. */
async function insertUsers(
  trx: Transaction<Tables>,
  engine: Engine,
  users: readonly ImportedUser[],
  import_no: number,
  at: number,
): Promise<void> {
  const managers = await findManagers(trx, engine, users)
  const own = new Set(users.map(({ username }) => username))
  const unknown = users.flatMap(({ manager }, index): ImportConflict[] =>
    typeof manager !== 'string' || managers.has(manager) || own.has(manager)
      ? []
      : [{ index, field: 'manager', fault: 'unknown' }],
  )
  if (unknown.length > 0) throw new Conflicts(unknown)
  const rows = users.map((user) => [
    user.username,
    user.email,
    user.display_name,
    JSON.stringify(user.permissions),
    typeof user.manager === 'string' ? (managers.get(user.manager) ?? null) : user.manager,
    flag(user.enabled),
    user.lang,
    user.password_hash,
    searchTextOf({ ...user, handle: null }),
  ])
  const made = await insertRows(trx, engine, JSON.stringify(rows), import_no, at)
  if (made.size < users.length) throw new Conflicts(await conflictsOf(trx, engine, users, made))
  const reports = users.flatMap(({ username, manager }) => {
    const of = typeof manager === 'string' && !managers.has(manager) ? made.get(manager) : undefined
    return of === undefined ? [] : [[made.get(username), of]]
  })
  if (reports.length > 0) await setManagers(trx, engine, JSON.stringify(reports))
}

/**
 * One statement with one parameter for all rows, so that it is prepared once. Nobody is made a superuser here: that
 * comes with the end of the import. Answers the ids by name; names and mail addresses in use are left out.
 */
async function insertRows(
  trx: Transaction<Tables>,
  { name }: Engine,
  json: string,
  import_no: number,
  at: number,
): Promise<Map<string, number>> {
  const [list, text, whole] =
    name === 'postgres'
      ? [
          sql`json_array_elements(cast(${json} as json)) with ordinality as r (value, key)`,
          (place: number) => sql`r.value ->> ${sql.lit(place)}`,
          (place: number) => sql`cast(r.value ->> ${sql.lit(place)} as integer)`,
        ]
      : [
          sql`json_each(${json}) as r`,
          (place: number) => sql`r.value ->> ${sql.lit(place)}`,
          (place: number) => sql`r.value ->> ${sql.lit(place)}`,
        ]
  const now = sql`cast(${at} as bigint)`
  const { rows } = await sql<{ user_id: number; username: string }>`
    insert into users (username, email, display_name, permissions, manager_id, enabled, lang, password_hash,
      search_text, superuser, require_password_change, created_at, updated_at, import_no)
    select ${text(0)}, ${text(1)}, ${text(2)}, ${text(3)}, ${whole(4)}, ${whole(5)}, ${text(6)}, ${text(7)},
      ${text(8)}, 0, 0, ${now}, ${now}, cast(${import_no} as integer)
    from ${list} where true order by r.key
    on conflict do nothing returning user_id, username`.execute(trx)
  return new Map(rows.map(({ user_id, username }) => [username, user_id]))
}

async function setManagers(trx: Transaction<Tables>, { name }: Engine, json: string): Promise<void> {
  const reports =
    name === 'postgres'
      ? sql`select cast(value ->> 0 as integer) as user_id, cast(value ->> 1 as integer) as manager_id
          from json_array_elements(cast(${json} as json))`
      : sql`select value ->> 0 as user_id, value ->> 1 as manager_id from json_each(${json})`
  await sql`update users set manager_id = r.manager_id from (${reports}) as r where users.user_id = r.user_id`.execute(
    trx,
  )
}

async function findManagers(
  trx: Transaction<Tables>,
  engine: Engine,
  users: readonly ImportedUser[],
): Promise<Map<string, number>> {
  const names = new Set(users.flatMap(({ manager }) => (typeof manager === 'string' ? [manager] : [])))
  if (names.size === 0) return new Map()
  const rows = await trx
    .selectFrom('users')
    .select(['user_id', 'username'])
    .where('username', 'in', listed(engine, [...names]))
    .execute()
  return new Map(rows.map(({ user_id, username }) => [username, user_id]))
}

/** Why some of these could not be made: their names are somebody's, or their mail addresses. */
async function conflictsOf(
  trx: Transaction<Tables>,
  engine: Engine,
  users: readonly ImportedUser[],
  made: ReadonlyMap<string, number>,
): Promise<ImportConflict[]> {
  const left = users.flatMap((user, index) => (made.has(user.username) ? [] : [{ ...user, index }]))
  const rows = await trx
    .selectFrom('users')
    .select('username')
    .where(
      'username',
      'in',
      listed(
        engine,
        left.map(({ username }) => username),
      ),
    )
    .execute()
  const names = new Set(rows.map(({ username }) => username))
  return left.map(({ username, index }) => ({
    index,
    field: names.has(username) ? 'username' : 'email',
    fault: 'taken',
  }))
}

async function finish(
  trx: Transaction<Tables>,
  engine: Engine,
  import_no: number,
  superusers: readonly string[],
): Promise<void> {
  if (superusers.length > 0) {
    await trx
      .updateTable('users')
      .set({ superuser: 1 })
      .where('username', 'in', listed(engine, superusers))
      .where('import_no', '=', import_no)
      .execute()
  }
  await trx
    .updateTable('user_imports')
    .set({ state: 'done', runner: null })
    .where('import_no', '=', import_no)
    .execute()
}
