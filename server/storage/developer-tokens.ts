import type { Kysely } from 'kysely'
import type { DeveloperTokenStore } from './port.ts'
import { SESSION_COLUMNS, toSession } from './rows.ts'
import { insertSession } from './sessions.ts'
import type { Tables } from './tables.ts'

export function createDeveloperTokenStore(db: Kysely<Tables>): DeveloperTokenStore {
  return {
    create: (token, most) =>
      db.transaction().execute(async (trx) => {
        // Two tokens made at once must not each see room for one: the second waits for this row.
        const owner = await trx
          .updateTable('users')
          .set({ updated_at: token.created_at })
          .where('user_id', '=', token.user_id)
          .where('enabled', '=', 1)
          .executeTakeFirst()
        if (owner.numUpdatedRows !== 1n || (await count(trx, token.user_id, token.created_at)) >= most) return false
        await insertSession(trx, token)
        return true
      }),

    count: (user_id, now) => count(db, user_id, now),

    async list(user_id, now) {
      const rows = await live(db, user_id, now)
        .select(SESSION_COLUMNS)
        .orderBy('created_at', 'desc')
        .orderBy('session_id', 'desc')
        .execute()
      return rows.map(toSession)
    },
  }
}

function live(db: Kysely<Tables>, user_id: number, now: number) {
  return db
    .selectFrom('sessions')
    .where('user_id', '=', user_id)
    .where('kind', '=', 'developer')
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
}

async function count(db: Kysely<Tables>, user_id: number, now: number): Promise<number> {
  const row = await live(db, user_id, now)
    .select((select) => select.fn.countAll<number>().as('live'))
    .executeTakeFirstOrThrow()
  return Number(row.live)
}
