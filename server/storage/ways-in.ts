import { type Kysely, sql, type Transaction } from 'kysely'
import type { Factor } from '../../api/schemas.ts'
import type { UserRecord } from './port.ts'
import type { AdministratorsWays, LastWayIn, WayIn } from './port/ways-in.ts'
import type { Tables } from './tables.ts'

interface StandingWay extends WayIn {
  proved: boolean
  /** A password that its owner did not choose. */
  temporary: boolean
  /** It ends by itself, so that nobody can count on it. */
  passing: boolean
}

/**
 * Holds what the changes that could take an administrator's way in take in turns: two of them at once must not each count
 * on what the other takes away. Whatever else happens at the same time only adds ways.
 */
export async function serialiseSuperuserEdits(trx: Transaction<Tables>): Promise<void> {
  await trx
    .updateTable('meta')
    .set({ value: sql`value` })
    .where('name', '=', 'ways_in')
    .execute()
}

/**
 * Whether somebody who signs in by an ATProto account is in: where his account here has a second factor, only once that was
 * proved too.
 */
export function isLetIn({ totp_confirmed_at }: UserRecord, amr: readonly Factor[]): boolean {
  return totp_confirmed_at === null || amr.some(isSecondFactor)
}

export function isSecondFactor(factor: Factor): boolean {
  return factor === 'otp' || factor === 'recovery' || factor === 'device'
}

/** The second factor was proved in this session: if an ATProto account began it that is still the user's own, it has let him in. */
export async function proveAccountOf(db: Kysely<Tables>, session_id: string, at: number): Promise<void> {
  await db
    .updateTable('users')
    .set({ did_proved_at: at })
    .where('user_id', '=', (its) =>
      its
        .selectFrom('sessions')
        .select('user_id')
        .where('session_id', '=', session_id)
        .where('auth_source', '=', 'atproto'),
    )
    .where('did', '=', (its) => its.selectFrom('atproto_grants').select('did').where('session_id', '=', session_id))
    .execute()
}

/**
 * Why a change may not take these ways; undefined when it may: it takes none, or a proven one is left that
 * does not end by itself. Asked after `serialiseSuperuserEdits`, in the transaction of the change.
 */
export async function refuseLastWayIn(
  trx: Transaction<Tables>,
  at: number,
  takes: (way: StandingWay) => boolean,
): Promise<LastWayIn | undefined> {
  const ways = await readWays(trx, at)
  const taken = ways.filter(takes)
  if (taken.length === 0 || ways.some((way) => way.proved && !way.passing && !takes(way))) return undefined
  const last = taken.filter(({ proved }) => proved)
  return { last_way_in: last.map(({ user_id, username, way }) => ({ user_id, username, way })) }
}

export async function listWaysIn(db: Kysely<Tables>, at: number, limit: number): Promise<AdministratorsWays[]> {
  const rows = await superusers(db).select(['user_id', 'username']).orderBy('user_id').limit(limit).execute()
  const ways = (await readWays(db, at)).filter(({ proved }) => proved)
  return rows.map(({ user_id, username }) => ({
    user_id,
    username,
    ways: ways.filter((one) => one.user_id === user_id).map(({ way }) => way),
  }))
}

/** The ways by which enabled superusers could come in now, proven or not. */
async function readWays(db: Kysely<Tables>, at: number): Promise<StandingWay[]> {
  const rows = await superusers(db)
    .select(['user_id', 'username', 'password_hash', 'require_password_change', 'password_expires'])
    .select(['password_proved_at', 'did', 'did_proved_at'])
    .orderBy('user_id')
    .execute()
  const isOn = await isAtprotoOn(db)
  return rows.flatMap((row): StandingWay[] => {
    const { user_id, username } = row
    const temporary = row.require_password_change === 1
    const passing = temporary && row.password_expires !== null
    const isOver = passing && Number(row.password_expires) <= at
    const who = { user_id, username }
    const password = { ...who, way: 'password', proved: row.password_proved_at !== null, temporary, passing } as const
    const own = { temporary: false, passing: false }
    const atproto = { ...who, way: 'atproto', proved: row.did_proved_at !== null, ...own } as const
    return [
      ...(row.password_hash !== null && !isOver ? [password] : []),
      ...(row.did !== null && isOn ? [atproto] : []),
    ]
  })
}

function superusers(db: Kysely<Tables>) {
  return db.selectFrom('users').where('superuser', '=', 1).where('enabled', '=', 1)
}

/** As `readSettings` in `api/settings.ts` has it: on until somebody switches it off. */
async function isAtprotoOn(db: Kysely<Tables>): Promise<boolean> {
  const row = await db.selectFrom('settings').select('value').where('name', '=', 'atproto_enabled').executeTakeFirst()
  return row?.value !== 'false'
}
