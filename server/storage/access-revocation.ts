import { type RawBuilder, sql, type Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { listed } from './listed.ts'
import type { AccessFilter, NamedAccess, RevokedAccess, StoredAccessKind } from './port/access.ts'
import type { LastWayIn } from './port/ways-in.ts'
import type { Tables } from './tables.ts'
import { refuseLastWayIn, serialiseSuperuserEdits } from './ways-in.ts'

type Limits = Pick<AccessFilter, 'managed_by' | 'except_session'>

/** How each kind ends. Each statement answers the rows that it, and no other, has ended. */
const ENDINGS: Record<StoredAccessKind, (ids: RawBuilder<string>, at: number, limits: Limits) => RawBuilder<Ended>> = {
  session: (ids, at, limits) => sql`
    update sessions set revoked_at = ${at} where session_id in ${ids} and revoked_at is null and kind <> 'developer'
      and session_id <> ${limits.except_session ?? ''} and ${isOfManaged(limits)}
    returning session_id as id, user_id`,

  developer_token: (ids, at, limits) => sql`
    update sessions set revoked_at = ${at} where session_id in ${ids} and revoked_at is null and kind = 'developer'
      and ${isOfManaged(limits)}
    returning session_id as id, user_id`,

  login_token: (ids, at, limits) => sql`
    update login_tokens set deleted_at = ${at} where uuid in ${ids} and deleted_at is null and used_at is null
      and expires_at > ${at} and ${isOfManaged(limits, sql`login_user_id`)}
    returning uuid as id, login_user_id as user_id`,

  temporary_password: (ids, at, limits) => sql`
    update users set password_expires = ${at} where user_id in (select cast(value as integer) from ${ids} as named)
      and require_password_change = 1 and password_hash is not null
      and (password_expires is null or password_expires > ${at}) and ${isOfManaged(limits)}
    returning user_id as id, user_id`,

  trusted_device: (ids, _at, limits) => sql`
    delete from trusted_devices where device_id in ${ids} and ${isOfManaged(limits)}
    returning device_id as id, user_id`,
}

interface Ended {
  id: string | number
  user_id: number
}

export async function revokeAccess(
  trx: Transaction<Tables>,
  engine: Engine,
  asked: readonly NamedAccess[],
  limits: Limits,
  at: number,
): Promise<RevokedAccess[] | LastWayIn> {
  const named = asked.filter(isSpelledOurWay)
  const refusal = await refuseEnding(trx, named, limits, at)
  if (refusal) return refusal
  const ended: RevokedAccess[] = []
  for (const [kind, items] of Map.groupBy(named, (item) => item.kind)) {
    const ids = items.map(({ id }) => id)
    const { rows } = await ENDINGS[kind](listed(engine, ids), at, limits).execute(trx)
    ended.push(...rows.map(({ id, user_id }) => ({ kind, id: String(id), user_id })))
  }
  return ended
}

/**
 * A user's number comes as text here, and is compared as a number later: in any spelling but our own (`02`) the guard would
 * not find whom the statement finds. All other ids are text to both.
 */
function isSpelledOurWay({ kind, id }: NamedAccess): boolean {
  return kind !== 'temporary_password' || /^[1-9]\d{0,8}$/.test(id)
}

/** A temporary password can be an administrator's last way in: then nothing of all that is named ends. */
async function refuseEnding(
  trx: Transaction<Tables>,
  named: readonly NamedAccess[],
  { managed_by }: Limits,
  at: number,
): Promise<LastWayIn | undefined> {
  const passwords = named.filter(({ kind }) => kind === 'temporary_password')
  if (passwords.length === 0) return undefined
  await serialiseSuperuserEdits(trx)
  // No superuser is in a manager's reach.
  if (managed_by !== undefined) return undefined
  const whose = new Set(passwords.map(({ id }) => Number(id)))
  return refuseLastWayIn(trx, at, ({ user_id, temporary }) => temporary && whose.has(user_id))
}

function isOfManaged({ managed_by }: Limits, user_id: RawBuilder<unknown> = sql`user_id`): RawBuilder<boolean> {
  if (managed_by === undefined) return sql`1 = 1`
  return sql`${user_id} in (select user_id from users where manager_id = ${managed_by} and superuser = 0)`
}
