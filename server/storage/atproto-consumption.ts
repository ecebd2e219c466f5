import type { Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { BegunByExchange, ExchangeRecord } from './port/atproto.ts'
import type { UserRecord } from './port.ts'
import { insertSession } from './sessions.ts'
import type { Tables } from './tables.ts'
import { lockUser } from './user-account.ts'
import { isLetIn } from './ways-in.ts'

/** Takes a transaction back: a condition of the consumption does not hold. */
export class Refused extends Error {
  constructor() {
    super('The exchange token cannot be consumed')
  }
}

export interface NamedExchange {
  token_hash: string
  nonce_hash: string
  now: number
}

/**
 * Consumes an exchange token by beginning a session, or rejects with `Refused`. The user's row comes first, as by whoever
 * ends his access: so one waits for the other, never crosswise.
 */
export async function beginByExchange(
  trx: Transaction<Tables>,
  engine: Engine,
  named: NamedExchange,
  begun: BegunByExchange,
): Promise<void> {
  const { session } = begun
  const user = await lockEnabledUser(trx, engine, session.user_id)
  const { grant_id, kind } = await spendExchange(trx, named, user.user_id)
  if (kind === 'link_account') throw new Refused()
  await insertSession(trx, session)
  await giveGrant(trx, grant_id, user.did, session.session_id)
  await changeOthers(trx, engine, begun, named.now)
  // A developer token is no sign-in.
  if (session.kind === 'developer') return
  await trx
    .updateTable('users')
    .set({
      last_sign_in_at: session.created_at,
      ...(isLetIn(user, session.amr) ? { did_proved_at: session.created_at } : {}),
    })
    .where('user_id', '=', user.user_id)
    .execute()
}

export async function lockEnabledUser(trx: Transaction<Tables>, engine: Engine, user_id: number): Promise<UserRecord> {
  const user = await lockUser(trx, engine, user_id)
  if (!user?.enabled) throw new Refused()
  return user
}

/** The one statement that uses an exchange token up. */
export async function spendExchange(
  trx: Transaction<Tables>,
  { token_hash, nonce_hash, now }: NamedExchange,
  user_id: number,
): Promise<Pick<ExchangeRecord, 'grant_id' | 'kind' | 'session_id'>> {
  const row = await trx
    .deleteFrom('atproto_exchanges')
    .where('token_hash', '=', token_hash)
    .where('nonce_hash', '=', nonce_hash)
    .where('user_id', '=', user_id)
    .where('expires_at', '>', now)
    .returning(['grant_id', 'kind', 'session_id'])
    .executeTakeFirst()
  if (!row) throw new Refused()
  return row
}

/** To a session of the user whose account it is of: he may have been given another since the provider answered. */
async function giveGrant(
  trx: Transaction<Tables>,
  grant_id: string,
  did: string | null,
  session_id: string,
): Promise<void> {
  const result = await trx
    .updateTable('atproto_grants')
    .set({ session_id })
    .where('grant_id', '=', grant_id)
    .where('did', '=', did ?? '')
    .where('session_id', 'is', null)
    .where('sealed', 'is not', null)
    .executeTakeFirst()
  if (result.numUpdatedRows !== 1n) throw new Refused()
}

async function changeOthers(
  trx: Transaction<Tables>,
  engine: Engine,
  { session: { group_id }, replaces, ends = [], joined_by }: BegunByExchange,
  now: number,
): Promise<void> {
  const ending = replaces === undefined ? ends : [replaces, ...ends]
  const named = joined_by === undefined ? ending : [joined_by, ...ending]
  if (named.length === 0) return
  const live = await lockLiveSessions(trx, engine, named, now)
  if (replaces !== undefined && !live.has(replaces)) throw new Refused()
  if (joined_by !== undefined) {
    const group = live.get(joined_by)
    // Signed out meanwhile, or in a group that another exchange began at the same moment.
    if (group === undefined || (group !== null && group !== group_id)) throw new Refused()
    await trx.updateTable('sessions').set({ group_id }).where('session_id', '=', joined_by).execute()
  }
  await trx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('session_id', 'in', listed(engine, ending))
    .where('revoked_at', 'is', null)
    .execute()
}

/** Those of them that live, by their groups, and they stay so until the end of the transaction. */
async function lockLiveSessions(
  trx: Transaction<Tables>,
  engine: Engine,
  session_ids: readonly string[],
  now: number,
): Promise<Map<string, string | null>> {
  const rows = await trx
    .selectFrom('sessions')
    .select(['session_id', 'group_id'])
    .where('session_id', 'in', listed(engine, session_ids))
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('session_id')
    .$if(engine.name === 'postgres', (select) => select.forUpdate())
    .execute()
  return new Map(rows.map(({ session_id, group_id }) => [session_id, group_id]))
}
