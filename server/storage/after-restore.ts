import type { Kysely } from 'kysely'
import type { EndedOnRestore, KeptOnRestore } from './port.ts'
import type { Tables } from './tables.ts'

/** The verb `afterRestore` of the port. */
export function endAfterRestore(
  db: Kysely<Tables>,
  at: number,
  kept: KeptOnRestore,
): Promise<Record<EndedOnRestore, number>> {
  return db.transaction().execute(async (trx) => {
    const endSessions = (developer: boolean) =>
      trx
        .updateTable('sessions')
        .set({ revoked_at: at })
        .where('revoked_at', 'is', null)
        .where('expires_at', '>', at)
        .where('kind', developer ? '=' : '<>', 'developer')
        .executeTakeFirst()
    const sessions = kept.sessions ? 0 : changed(await endSessions(false))
    const developer_tokens = kept.developer_tokens ? 0 : changed(await endSessions(true))
    const login_tokens = await trx
      .updateTable('login_tokens')
      .set({ deleted_at: at })
      .where('used_at', 'is', null)
      .where('deleted_at', 'is', null)
      .where('expires_at', '>', at)
      .executeTakeFirst()
    const temporary_passwords = await trx
      .updateTable('users')
      .set({ password_expires: at })
      .where('require_password_change', '=', 1)
      .where('password_expires', '>', at)
      .executeTakeFirst()
    const devices = await trx.deleteFrom('trusted_devices').executeTakeFirst()
    for (const table of ['atproto_flows', 'atproto_exchanges', 'atproto_pairings'] as const)
      await trx.deleteFrom(table).execute()
    return {
      sessions,
      developer_tokens,
      login_tokens: changed(login_tokens),
      temporary_passwords: changed(temporary_passwords),
      trusted_devices: Number(devices.numDeletedRows),
    }
  })
}

/** The verb `sealed` of the port. */
export async function readSealed(
  db: Kysely<Tables>,
  limit: number,
): Promise<{ user_id: number; totp_secret: string }[]> {
  const rows = await db
    .selectFrom('users')
    .select(['user_id', 'totp_secret'])
    .where('totp_secret', 'is not', null)
    .limit(limit)
    .execute()
  return rows.flatMap(({ user_id, totp_secret }) => (totp_secret === null ? [] : [{ user_id, totp_secret }]))
}

function changed({ numUpdatedRows }: { numUpdatedRows: bigint }): number {
  return Number(numUpdatedRows)
}
