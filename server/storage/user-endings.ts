import type { Transaction } from 'kysely'
import { voidLoginTokens, voidMadeLoginTokens } from './login-tokens.ts'
import type { Tables } from './tables.ts'

/** What could still let this user in ends, sessions of every kind too; and the login tokens that he made. */
export async function endAccess(trx: Transaction<Tables>, user_id: number, at: number): Promise<void> {
  await endSessions(trx, user_id, at, { developer: true })
  await voidEntries(trx, user_id, at)
  await voidMadeLoginTokens(trx, user_id, at)
}

/** What would begin a session of this user, and has not yet. */
export async function voidEntries(trx: Transaction<Tables>, user_id: number, at: number): Promise<void> {
  await voidLoginTokens(trx, user_id, at)
  await trx.deleteFrom('atproto_exchanges').where('user_id', '=', user_id).execute()
}

export async function endSessions(
  trx: Transaction<Tables>,
  user_id: number,
  at: number,
  also: { developer: boolean },
): Promise<void> {
  await trx
    .updateTable('sessions')
    .set({ revoked_at: at })
    .where('user_id', '=', user_id)
    .$if(!also.developer, (update) => update.where('kind', '<>', 'developer'))
    .where('revoked_at', 'is', null)
    .execute()
}
