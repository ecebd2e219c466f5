import type { Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { LastWayIn, WayIn } from './port/ways-in.ts'
import type { NewPassword, NewUser, UserConflict, UserEdit, UserRecord, UserStore } from './port.ts'
import { flag, searchTextOf, toUser } from './rows.ts'
import { voidMadeLoginTokens } from './login-tokens.ts'
import { insertSession } from './sessions.ts'
import type { Tables } from './tables.ts'
import { createTotpVerbs } from './totp.ts'
import { createAccountVerbs, endAtprotoSessions, lockUser } from './user-account.ts'
import { endAccess, endSessions, voidEntries } from './user-endings.ts'
import { createUserList } from './user-list.ts'
import { listWaysIn, refuseLastWayIn, serialiseSuperuserEdits } from './ways-in.ts'

/** What an edit may come to. */
type Edited = Awaited<ReturnType<UserStore['edit']>>

export function createUserStore(db: Kysely<Tables>, engine: Engine): UserStore {
  return {
    find: (user_id) => findUser(db, user_id),

    async findByName(username) {
      const row = await db.selectFrom('users').selectAll().where('username', '=', username).executeTakeFirst()
      return row && toUser(row)
    },

    async findByEmail(email) {
      const row = await db.selectFrom('users').selectAll().where('email', '=', email).executeTakeFirst()
      return row && toUser(row)
    },

    async superusers(limit) {
      const rows = await db
        .selectFrom('users')
        .selectAll()
        .where('superuser', '=', 1)
        .where('enabled', '=', 1)
        .orderBy('user_id')
        .limit(limit)
        .execute()
      return rows.map(toUser)
    },

    waysIn: (at, limit) => listWaysIn(db, at, limit),

    async isSetUp() {
      const row = await db.selectFrom('meta').select('name').where('name', '=', 'set_up').executeTakeFirst()
      return row !== undefined
    },

    list: createUserList(db, engine),

    create: (user) => db.transaction().execute((trx) => insertUser(trx, user)),

    createFirst: (user) =>
      db.transaction().execute(async (trx) => {
        const won = await trx
          .insertInto('meta')
          .values({ name: 'set_up', value: String(user.created_at) })
          .onConflict((conflict) => conflict.doNothing())
          .returning('name')
          .executeTakeFirst()
        if (!won) return 'already'
        // He chose it himself.
        const made = await insertUser(trx, user, user.created_at)
        if (typeof made === 'string') throw new Error(`The first superuser met another user: ${made}`)
        return made
      }),

    async edit(user_id, edit, at) {
      try {
        return await db.transaction().execute((trx) => editUser(trx, engine, user_id, edit, at))
      } catch (error) {
        // Another server took the name between our look and our write.
        if (engine.isConflict(error)) return (await conflictOf(db, edit, user_id)) ?? 'USERNAME_TAKEN'
        throw error
      }
    },

    remove: (user_id, at) => db.transaction().execute((trx) => removeUser(trx, user_id, at)),

    setPassword: (user_id, password) => db.transaction().execute((trx) => setPassword(trx, user_id, password)),

    async upgradeHash(user_id, from, to) {
      await db
        .updateTable('users')
        .set({ password_hash: to })
        .where('user_id', '=', user_id)
        .where('password_hash', '=', from)
        .execute()
    },

    ...createAccountVerbs(db, engine),
    ...createTotpVerbs(db),
  }
}

async function findUser(db: Kysely<Tables>, user_id: number): Promise<UserRecord | undefined> {
  const row = await db.selectFrom('users').selectAll().where('user_id', '=', user_id).executeTakeFirst()
  return row && toUser(row)
}

async function insertUser(
  trx: Transaction<Tables>,
  user: NewUser,
  password_proved_at: number | null = null,
): Promise<{ user_id: number } | UserConflict> {
  const made = await trx
    .insertInto('users')
    .values({
      ...user,
      superuser: flag(user.superuser),
      enabled: flag(user.enabled),
      permissions: JSON.stringify(user.permissions),
      require_password_change: flag(user.require_password_change),
      totp_last_step: 0,
      password_set_at: user.password_hash === null ? null : user.created_at,
      password_set_by: user.password_set_by ?? null,
      password_proved_at,
      updated_at: user.created_at,
      search_text: searchTextOf(user),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('user_id')
    .executeTakeFirst()
  return made ?? (await conflictOf(trx, user)) ?? 'USERNAME_TAKEN'
}

async function editUser(
  trx: Transaction<Tables>,
  engine: Engine,
  user_id: number,
  edit: UserEdit,
  at: number,
): Promise<Edited> {
  const weakens = edit.superuser === false || edit.enabled === false
  if (weakens || edit.did !== undefined) await serialiseSuperuserEdits(trx)
  const before = await lockUser(trx, engine, user_id)
  if (!before) return 'absent'
  if (weakens && before.superuser && before.enabled && !(await otherSuperuser(trx, user_id))) return 'LAST_SUPERUSER'
  const conflict = await conflictOf(trx, edit, user_id)
  if (conflict) return conflict
  const movesAccount = edit.did !== undefined && edit.did !== before.did
  if (weakens || movesAccount) {
    const takes = ({ user_id: whose, way }: WayIn) => whose === user_id && (weakens || way === 'atproto')
    const refusal = await refuseLastWayIn(trx, at, takes)
    if (refusal) return refusal
  }
  const after = { ...before, ...edit, ...(movesAccount ? { handle: null } : {}) }
  await trx
    .updateTable('users')
    .set({
      username: after.username,
      email: after.email,
      display_name: after.display_name,
      superuser: flag(after.superuser),
      permissions: JSON.stringify(after.permissions),
      manager_id: after.manager_id,
      enabled: flag(after.enabled),
      lang: after.lang,
      did: after.did,
      handle: after.handle,
      ...(movesAccount ? { did_proved_at: null } : {}),
      updated_at: at,
      search_text: searchTextOf(after),
    })
    .where('user_id', '=', user_id)
    .execute()
  if (movesAccount) await endAtprotoSessions(trx, user_id, at)
  if (before.enabled && !after.enabled) await endAccess(trx, user_id, at)
  return 'done'
}

async function removeUser(
  trx: Transaction<Tables>,
  user_id: number,
  at: number,
): Promise<'done' | 'absent' | 'LAST_SUPERUSER' | LastWayIn> {
  await serialiseSuperuserEdits(trx)
  const before = await findUser(trx, user_id)
  if (!before) return 'absent'
  if (before.superuser && before.enabled && !(await otherSuperuser(trx, user_id))) return 'LAST_SUPERUSER'
  const refusal = await refuseLastWayIn(trx, at, (way) => way.user_id === user_id)
  if (refusal) return refusal
  // Sessions, recovery codes and trusted browsers go with the row.
  await trx.deleteFrom('users').where('user_id', '=', user_id).execute()
  await voidEntries(trx, user_id, at)
  await voidMadeLoginTokens(trx, user_id, at)
  return 'done'
}

async function otherSuperuser(trx: Transaction<Tables>, user_id: number): Promise<boolean> {
  const row = await trx
    .selectFrom('users')
    .select('user_id')
    .where('superuser', '=', 1)
    .where('enabled', '=', 1)
    .where('user_id', '<>', user_id)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/** Which of these names another user has already. */
export async function conflictOf(
  db: Kysely<Tables>,
  wanted: { username?: string; email?: string | null; did?: string | null },
  user_id = 0,
): Promise<UserConflict | undefined> {
  const taken = async (column: 'username' | 'email' | 'did', value: string) =>
    (await db
      .selectFrom('users')
      .select('user_id')
      .where(column, '=', value)
      .where('user_id', '<>', user_id)
      .executeTakeFirst()) !== undefined
  if (wanted.username !== undefined && (await taken('username', wanted.username))) return 'USERNAME_TAKEN'
  if (wanted.email && (await taken('email', wanted.email))) return 'EMAIL_TAKEN'
  if (wanted.did && (await taken('did', wanted.did))) return 'DID_TAKEN'
  return undefined
}

async function setPassword(
  trx: Transaction<Tables>,
  user_id: number,
  password: NewPassword,
): Promise<boolean | LastWayIn> {
  const { instead_of, by, at } = password
  if (typeof by === 'number') {
    await serialiseSuperuserEdits(trx)
    const takes = (way: WayIn) => way.user_id === user_id && way.way === 'password'
    const refusal = await refuseLastWayIn(trx, at, takes)
    if (refusal) return refusal
  }
  const result = await trx
    .updateTable('users')
    .set({
      password_hash: password.password_hash,
      require_password_change: flag(password.require_password_change),
      password_expires: password.password_expires,
      password_set_at: at,
      password_set_by: typeof by === 'number' ? by : null,
      password_proved_at: by === undefined ? at : null,
      updated_at: at,
    })
    .where('user_id', '=', user_id)
    .$if(instead_of === null, (update) => update.where('password_hash', 'is', null))
    .$if(typeof instead_of === 'string', (update) => update.where('password_hash', '=', instead_of ?? ''))
    .executeTakeFirst()
  if (result.numUpdatedRows === 0n) return false
  await endSessions(trx, user_id, at, { developer: password.revoke_developer_tokens === true })
  await voidEntries(trx, user_id, at)
  await trx.deleteFrom('trusted_devices').where('user_id', '=', user_id).execute()
  if (password.replacement) await insertSession(trx, password.replacement)
  return true
}
