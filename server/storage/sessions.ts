import type { Factor } from '../../api/schemas.ts'
import type { CompiledQuery, Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { MaybePromise, NewSession, SessionRecord, SessionStore, UserRecord } from './port.ts'
import { SESSION_COLUMNS, type SessionRow, toSession, toUser, USER_COLUMNS, type UserRow } from './rows.ts'
import type { Tables } from './tables.ts'
import { voidEntries } from './user-endings.ts'
import { isSecondFactor, proveAccountOf } from './ways-in.ts'

export function createSessionStore(db: Kysely<Tables>, engine: Engine): SessionStore {
  const live = (now: number, idle_since: number) =>
    db
      .selectFrom('sessions')
      .selectAll()
      .where('revoked_at', 'is', null)
      .where('expires_at', '>', now)
      .where('last_seen_at', '>', idle_since)

  return {
    findBySecret: createFindBySecret(db, engine),

    create: (session, proved_hash) =>
      db.transaction().execute(async (trx) => {
        const user = await trx
          .updateTable('users')
          .set({
            last_sign_in_at: session.created_at,
            ...(proved_hash === undefined ? {} : { password_proved_at: session.created_at }),
          })
          .where('user_id', '=', session.user_id)
          .where('enabled', '=', 1)
          .$if(proved_hash !== undefined, (update) => update.where('password_hash', '=', proved_hash ?? ''))
          .executeTakeFirst()
        if (user.numUpdatedRows !== 1n) return false
        await insertSession(trx, session)
        return true
      }),

    async listLive(user_id, now, idle_since) {
      const rows = await live(now, idle_since)
        .where('user_id', '=', user_id)
        .where('kind', '<>', 'developer')
        .orderBy('last_seen_at', 'desc')
        .orderBy('session_id')
        .execute()
      return rows.map(toSession)
    },

    async listGroup(group_id, now, idle_since) {
      const rows = await live(now, idle_since).where('group_id', '=', group_id).orderBy('created_at').execute()
      return rows.map(toSession)
    },

    async touch(session_id, at) {
      await db.updateTable('sessions').set({ last_seen_at: at }).where('session_id', '=', session_id).execute()
    },

    async joinGroup(session_id, group_id) {
      await db
        .updateTable('sessions')
        .set({ group_id })
        .where('session_id', '=', session_id)
        .where('group_id', 'is', null)
        .execute()
    },

    async rotate(session_id, secret_hash, now, proved) {
      const rotated = await db.transaction().execute(async (trx) => {
        const row = await trx
          .updateTable('sessions')
          .set({ secret_hash, ...(proved === undefined ? {} : { authenticated_at: now }) })
          .where('session_id', '=', session_id)
          .where('revoked_at', 'is', null)
          .where('expires_at', '>', now)
          .returning('amr')
          .executeTakeFirst()
        if (row && proved) await setFactors(trx, session_id, row, proved)
        return row !== undefined
      })
      // By itself, because others hold the user first and then his sessions. It only adds a way in.
      if (rotated && proved && isSecondFactor(proved)) await proveAccountOf(db, session_id, now)
      return rotated
    },

    addFactor: (session_id, factor) =>
      db.transaction().execute(async (trx) => {
        const row = await trx
          .selectFrom('sessions')
          .select('amr')
          .where('session_id', '=', session_id)
          .$if(engine.name === 'postgres', (select) => select.forUpdate())
          .executeTakeFirst()
        if (row) await setFactors(trx, session_id, row, factor)
      }),

    async revoke(session_id, user_id, at) {
      const result = await db
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('session_id', '=', session_id)
        .where('user_id', '=', user_id)
        .where('revoked_at', 'is', null)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    revokeGroup: (group_id, at) => db.transaction().execute((trx) => revokeGroup(trx, engine, group_id, at)),

    revokeAll: (user_id, at, except) => revokeBrowserSessions(db, user_id, at, except),

    revokeEverything: (user_id, at) =>
      db.transaction().execute(async (trx) => {
        // Tokens first: one that is being redeemed is waited for, and then its session is there to be ended.
        await voidEntries(trx, user_id, at)
        await revokeBrowserSessions(trx, user_id, at)
      }),

    async sweep(before) {
      await db
        .deleteFrom('sessions')
        .where((where) => where.or([where('expires_at', '<', before), where('revoked_at', '<', before)]))
        .execute()
    },
  }
}

export async function insertSession(trx: Transaction<Tables>, session: NewSession): Promise<void> {
  await trx
    .insertInto('sessions')
    .values({
      ...session,
      amr: JSON.stringify(session.amr),
      last_seen_at: session.created_at,
      revoked_at: null,
      login_token: session.login_token ?? null,
      scope: session.scope ?? null,
      prefix: session.prefix ?? null,
      name: session.name ?? null,
    })
    .execute()
}

async function setFactors(trx: Transaction<Tables>, session_id: string, row: { amr: string }, factor: Factor) {
  const amr: Factor[] = JSON.parse(row.amr)
  if (amr.includes(factor)) return
  await trx
    .updateTable('sessions')
    .set({ amr: JSON.stringify([...amr, factor]) })
    .where('session_id', '=', session_id)
    .execute()
}

async function revokeBrowserSessions(
  db: Kysely<Tables>,
  user_id: number,
  at: number,
  except?: string,
): Promise<number> {
  const result = await db
    .updateTable('sessions')
    .set({ revoked_at: at })
    .where('user_id', '=', user_id)
    .where('kind', '<>', 'developer')
    .where('revoked_at', 'is', null)
    .$if(except !== undefined, (update) => update.where('session_id', '<>', except ?? ''))
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

/**
 * An exchange that replaces or joins one of the group holds that row: it is waited for, and what it began is there to be
 * ended. In one order, as there, so that the two never wait crosswise.
 */
async function revokeGroup(trx: Transaction<Tables>, engine: Engine, group_id: string, at: number): Promise<number> {
  const members = trx.selectFrom('sessions').select('session_id').where('group_id', '=', group_id)
  if (engine.name === 'postgres') await members.orderBy('session_id').forUpdate().execute()
  const result = await trx
    .updateTable('sessions')
    .set({ revoked_at: at })
    .where('group_id', '=', group_id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst()
  return Number(result.numUpdatedRows)
}

type Found = { session: SessionRecord; user: UserRecord } | undefined

/** Sessions remembered at most; the oldest makes room. */
const REMEMBERED = 16_384

/**
 * The hot path. What was found stays true until the next committed write, and the engine that is the only writer of
 * its database can tell when that was; another looks every time.
 */
function createFindBySecret(db: Kysely<Tables>, engine: Engine): SessionStore['findBySecret'] {
  const lookUp = createLookUp(db, engine)
  const { version } = engine
  if (!version) return lookUp
  const remembered = new Map<string, { version: number; found: MaybePromise<Found> }>()

  return (secret_hash) => {
    const now = version()
    const known = remembered.get(secret_hash)
    if (known?.version === now) return known.found
    const found = lookUp(secret_hash)
    remembered.set(secret_hash, { version: now, found })
    if (remembered.size > REMEMBERED) remembered.delete(remembered.keys().next().value ?? '')
    return found
  }
}

/**
 * Two single-row look-ups, compiled once. Not a join: SQLite 3.54 plans a join anew at every change of its bound
 * parameter, which costs three times as much as both look-ups together.
 */
function createLookUp(db: Kysely<Tables>, engine: Engine): SessionStore['findBySecret'] {
  const sessionQuery = db.selectFrom('sessions').select(SESSION_COLUMNS).where('secret_hash', '=', '').compile()
  const userQuery = db.selectFrom('users').select(USER_COLUMNS).where('user_id', '=', 0).compile()
  const sessionOf = (secret_hash: string): CompiledQuery<SessionRow> => ({ ...sessionQuery, parameters: [secret_hash] })
  const userOf = (user_id: number): CompiledQuery<UserRow> => ({ ...userQuery, parameters: [user_id] })

  return (secret_hash) =>
    chain(engine.read(sessionOf(secret_hash)), ([row]) => {
      if (!row) return undefined
      const session = toSession(row)
      return chain(engine.read(userOf(session.user_id)), ([user]) => user && { session, user: toUser(user) })
    })
}

function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then(next) : next(value)
}
