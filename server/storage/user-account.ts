import type { Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { UserRecord, UserStore } from './port.ts'
import { searchTextOf, toUser } from './rows.ts'
import type { Tables } from './tables.ts'
import { refuseLastWayIn, serialiseSuperuserEdits } from './ways-in.ts'

/** The verbs of the user store that concern the ATProto account. */
export function createAccountVerbs(
  db: Kysely<Tables>,
  engine: Engine,
): Pick<UserStore, 'findByDid' | 'unlinkDid' | 'setHandle'> {
  return {
    async findByDid(did) {
      const row = await db.selectFrom('users').selectAll().where('did', '=', did).executeTakeFirst()
      return row && toUser(row)
    },

    unlinkDid: (user_id, at, except) =>
      db.transaction().execute(async (trx) => {
        await serialiseSuperuserEdits(trx)
        const user = await lockUser(trx, engine, user_id)
        if (!user || user.did === null) return false
        const refusal = await refuseLastWayIn(trx, at, (one) => one.user_id === user_id && one.way === 'atproto')
        if (refusal) return refusal
        await setAccount(trx, { ...user, did: null, handle: null }, at)
        await endAtprotoSessions(trx, user_id, at, except)
        return true
      }),

    setHandle: (user_id, handle) =>
      db.transaction().execute(async (trx) => {
        const user = await lockUser(trx, engine, user_id)
        if (!user || user.handle === handle) return
        const search_text = searchTextOf({ ...user, handle })
        await trx.updateTable('users').set({ handle, search_text }).where('user_id', '=', user_id).execute()
      }),
  }
}

/** A user whose row nobody else changes until the end of the transaction. */
export async function lockUser(
  trx: Transaction<Tables>,
  engine: Engine,
  user_id: number,
): Promise<UserRecord | undefined> {
  const row = await trx
    .selectFrom('users')
    .selectAll()
    .where('user_id', '=', user_id)
    .$if(engine.name === 'postgres', (select) => select.forNoKeyUpdate())
    .executeTakeFirst()
  return row && toUser(row)
}

/** Account and handle become what they are in this record; an account that comes has just proved itself. */
export async function setAccount(trx: Transaction<Tables>, user: UserRecord, at: number): Promise<void> {
  const { user_id, did, handle } = user
  await trx
    .updateTable('users')
    .set({ did, handle, did_proved_at: did === null ? null : at, search_text: searchTextOf(user), updated_at: at })
    .where('user_id', '=', user_id)
    .execute()
}

/** Sessions and developer tokens that the user's ATProto account began end, but the one named. */
export async function endAtprotoSessions(
  trx: Transaction<Tables>,
  user_id: number,
  at: number,
  except?: string,
): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ revoked_at: at })
    .where('user_id', '=', user_id)
    .where('auth_source', '=', 'atproto')
    .where('revoked_at', 'is', null)
    .$if(except !== undefined, (update) => update.where('session_id', '<>', except ?? ''))
    .execute()
}
