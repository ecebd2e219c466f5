import type { Kysely, Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import { createLoginTokenList } from './login-token-list.ts'
import type { LoginTokenRecord, LoginTokenStore, NewLoginToken, NewSession, UserRecord } from './port.ts'
import { toUser } from './rows.ts'
import { insertSession } from './sessions.ts'
import type { Tables, UserTable } from './tables.ts'

/** What one who is no superuser needs to make login tokens. */
const PERMISSION = 'LOGIN_TOKENS'
/** Nobody has this number. */
const NOBODY = 0

export function createLoginTokenStore(db: Kysely<Tables>, engine: Engine): LoginTokenStore {
  return {
    ...createLoginTokenList(db),

    create: (token, most) =>
      db.transaction().execute(async (trx) => {
        // Two tokens made at once must not each see room for one: the second waits for this row.
        const person = await trx
          .updateTable('users')
          .set({ updated_at: token.created_at })
          .where('user_id', '=', token.login_user_id)
          .executeTakeFirst()
        if (person.numUpdatedRows !== 1n || (await countActive(trx, token)) >= most) return false
        await trx.insertInto('login_tokens').values(token).execute()
        return true
      }),

    async show(secret_hash, now) {
      const token = await db
        .selectFrom('login_tokens')
        .selectAll()
        .where('secret_hash', '=', secret_hash)
        .where('used_at', 'is', null)
        .where('deleted_at', 'is', null)
        .where('expires_at', '>', now)
        .executeTakeFirst()
      // Looked up by whatever number stands there, so that a token that is over takes as long as one that is not.
      const people = await db
        .selectFrom('users')
        .selectAll()
        .where('user_id', 'in', [token?.login_user_id ?? NOBODY, token?.user_id ?? NOBODY])
        .where('enabled', '=', 1)
        .execute()
      const login_user = people.find(({ user_id }) => user_id === token?.login_user_id)
      const maker = people.find(({ user_id }) => user_id === token?.user_id)
      if (!token || !login_user || !maker || !mayMake(toUser(maker), toUser(login_user))) return undefined
      return { token: withoutSecret(token), login_user: toUser(login_user) }
    },

    consume: (secret_hash, session) =>
      db.transaction().execute(async (trx) => {
        // The person's row first, as by whoever ends his access: so one waits for the other, never crosswise.
        const person = await trx
          .selectFrom('users')
          .select(['superuser', 'manager_id'])
          .where('user_id', '=', session.user_id)
          .where('enabled', '=', 1)
          .$if(engine.name === 'postgres', (select) => select.forUpdate())
          .executeTakeFirst()
        const token = person && (await use(trx, secret_hash, session, person))
        if (!token) return undefined
        await trx
          .updateTable('users')
          .set({ last_sign_in_at: session.created_at })
          .where('user_id', '=', session.user_id)
          .execute()
        await insertSession(trx, { ...session, login_token: token.uuid })
        return token
      }),

    async revoke(uuid, at) {
      const result = await db
        .updateTable('login_tokens')
        .set({ deleted_at: at })
        .where('uuid', '=', uuid)
        .where('used_at', 'is', null)
        .where('deleted_at', 'is', null)
        .where('expires_at', '>', at)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },
  }
}

/** Whether one who makes tokens could make one for this person; `use` says the same in SQL. */
function mayMake(maker: UserRecord, person: UserRecord): boolean {
  if (maker.superuser) return true
  return maker.permissions.includes(PERMISSION) && !person.superuser && person.manager_id === maker.user_id
}

/** The one statement that uses a token up; whoever made it must still be somebody who could make it. */
async function use(
  trx: Transaction<Tables>,
  secret_hash: string,
  { user_id, created_at, ip }: NewSession,
  person: Pick<UserTable, 'superuser' | 'manager_id'>,
): Promise<LoginTokenRecord | undefined> {
  const manager = person.superuser ? NOBODY : (person.manager_id ?? NOBODY)
  const row = await trx
    .updateTable('login_tokens')
    .set({ used_at: created_at, used_ip: ip, deleted_at: created_at })
    .where('secret_hash', '=', secret_hash)
    .where('login_user_id', '=', user_id)
    .where('used_at', 'is', null)
    .where('deleted_at', 'is', null)
    .where('expires_at', '>', created_at)
    .where((where) =>
      where.exists(
        where
          .selectFrom('users as maker')
          .select('maker.user_id')
          .whereRef('maker.user_id', '=', 'login_tokens.user_id')
          .where('maker.enabled', '=', 1)
          .where((maker) =>
            maker.or([
              maker('maker.superuser', '=', 1),
              maker.and([
                maker('maker.permissions', 'like', `%"${PERMISSION}"%`),
                maker('maker.user_id', '=', manager),
              ]),
            ]),
          ),
      ),
    )
    .returningAll()
    .executeTakeFirst()
  return row && withoutSecret(row)
}

function withoutSecret({ secret_hash: _, ...token }: LoginTokenRecord & { secret_hash: string }): LoginTokenRecord {
  return token
}

async function countActive(trx: Transaction<Tables>, { login_user_id, created_at }: NewLoginToken): Promise<number> {
  const row = await trx
    .selectFrom('login_tokens')
    .select((select) => select.fn.countAll<number>().as('active'))
    .where('login_user_id', '=', login_user_id)
    .where('used_at', 'is', null)
    .where('deleted_at', 'is', null)
    .where('expires_at', '>', created_at)
    .executeTakeFirstOrThrow()
  return Number(row.active)
}

/** Unused login tokens that sign this user in become worthless. */
export function voidLoginTokens(trx: Transaction<Tables>, user_id: number, at: number): Promise<void> {
  return voidTokens(trx, 'login_user_id', user_id, at)
}

/** Unused login tokens that this user made become worthless. */
export function voidMadeLoginTokens(trx: Transaction<Tables>, user_id: number, at: number): Promise<void> {
  return voidTokens(trx, 'user_id', user_id, at)
}

async function voidTokens(
  trx: Transaction<Tables>,
  whose: 'user_id' | 'login_user_id',
  user_id: number,
  at: number,
): Promise<void> {
  await trx
    .updateTable('login_tokens')
    .set({ deleted_at: at })
    .where(whose, '=', user_id)
    .where('used_at', 'is', null)
    .where('deleted_at', 'is', null)
    .execute()
}
