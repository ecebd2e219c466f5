import type { Transaction } from 'kysely'
import { lockEnabledUser, type NamedExchange, Refused, spendExchange } from './atproto-consumption.ts'
import type { Engine } from './engine.ts'
import type { Tables } from './tables.ts'
import { endAtprotoSessions, setAccount } from './user-account.ts'
import { conflictOf } from './users.ts'

/** Consumes an exchange token by linking its account to its user, or rejects with `Refused`. */
export async function linkByExchange(
  trx: Transaction<Tables>,
  engine: Engine,
  named: NamedExchange,
  handle: string | null,
): Promise<'done' | 'DID_TAKEN'> {
  const { user_id, did } = await findLink(trx, named)
  const user = await lockEnabledUser(trx, engine, user_id)
  const { session_id } = await spendExchange(trx, named, user_id)
  if (session_id === null || !(await livesFor(trx, engine, session_id, user_id, named.now))) throw new Refused()
  if (await conflictOf(trx, { did }, user_id)) return 'DID_TAKEN'
  await setAccount(trx, { ...user, did, handle }, named.now)
  // What the account before this one began ends, but not under the feet of him who does this.
  if (user.did !== null && user.did !== did) await endAtprotoSessions(trx, user_id, named.now, session_id)
  return 'done'
}

/** Looked up before it is spent: the user's row must be locked first. */
async function findLink(
  trx: Transaction<Tables>,
  { token_hash, nonce_hash, now }: NamedExchange,
): Promise<{ user_id: number; did: string }> {
  const row = await trx
    .selectFrom('atproto_exchanges as exchange')
    .innerJoin('atproto_grants as held', 'held.grant_id', 'exchange.grant_id')
    .select(['exchange.user_id', 'held.did'])
    .where('exchange.token_hash', '=', token_hash)
    .where('exchange.nonce_hash', '=', nonce_hash)
    .where('exchange.kind', '=', 'link_account')
    .where('exchange.expires_at', '>', now)
    .executeTakeFirst()
  if (!row) throw new Refused()
  return row
}

async function livesFor(
  trx: Transaction<Tables>,
  engine: Engine,
  session_id: string,
  user_id: number,
  now: number,
): Promise<boolean> {
  const row = await trx
    .selectFrom('sessions')
    .select('session_id')
    .where('session_id', '=', session_id)
    .where('user_id', '=', user_id)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .$if(engine.name === 'postgres', (select) => select.forUpdate())
    .executeTakeFirst()
  return row !== undefined
}
