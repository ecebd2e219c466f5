import type { Kysely } from 'kysely'
import type { Engine } from './engine.ts'
import type { AtprotoStore } from './port/atproto.ts'
import type { Tables } from './tables.ts'

type PairingVerbs = Pick<
  AtprotoStore,
  | 'createPairing'
  | 'findPairing'
  | 'pairingWithCode'
  | 'pairingOfBrowser'
  | 'approvePairing'
  | 'finishPairing'
  | 'takePairedToken'
  | 'deletePairing'
>

/** The verbs of browsers that wait for somebody at this machine to sign in for them. */
export function createPairingVerbs(db: Kysely<Tables>, engine: Engine): PairingVerbs {
  /** Those that have not expired, the youngest first. */
  const current = (now: number) =>
    db
      .selectFrom('atproto_pairings')
      .selectAll()
      .where('expires_at', '>', now)
      .orderBy('expires_at', 'desc')
      .orderBy('pairing_id', 'desc')
      .limit(1)

  return {
    async createPairing(pairing) {
      await db
        .insertInto('atproto_pairings')
        .values({ ...pairing, state: 'waiting', reason: null, sealed_token: null })
        .execute()
    },

    findPairing: (pairing_id) =>
      db.selectFrom('atproto_pairings').selectAll().where('pairing_id', '=', pairing_id).executeTakeFirst(),

    pairingWithCode: (code_hash, now) =>
      current(now).where('code_hash', '=', code_hash).where('state', '=', 'waiting').executeTakeFirst(),

    pairingOfBrowser: (nonce_hash, now) => current(now).where('nonce_hash', '=', nonce_hash).executeTakeFirst(),

    async approvePairing(pairing_id, now) {
      const result = await db
        .updateTable('atproto_pairings')
        .set({ state: 'approved' })
        .where('pairing_id', '=', pairing_id)
        .where('state', '=', 'waiting')
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    async finishPairing(pairing_id, end, now) {
      const result = await db
        .updateTable('atproto_pairings')
        .set({ state: 'sealed_token' in end ? 'done' : 'refused', ...end })
        .where('pairing_id', '=', pairing_id)
        .where('state', '=', 'approved')
        .where('expires_at', '>', now)
        .executeTakeFirst()
      return result.numUpdatedRows === 1n
    },

    takePairedToken: (pairing_id, now) =>
      db.transaction().execute(async (trx) => {
        const row = await trx
          .selectFrom('atproto_pairings')
          .select('sealed_token')
          .where('pairing_id', '=', pairing_id)
          .where('state', '=', 'done')
          .where('sealed_token', 'is not', null)
          .where('expires_at', '>', now)
          .$if(engine.name === 'postgres', (select) => select.forUpdate())
          .executeTakeFirst()
        if (!row) return undefined
        await trx
          .updateTable('atproto_pairings')
          .set({ sealed_token: null })
          .where('pairing_id', '=', pairing_id)
          .execute()
        return row.sealed_token ?? undefined
      }),

    async deletePairing(pairing_id) {
      await db.deleteFrom('atproto_pairings').where('pairing_id', '=', pairing_id).execute()
    },
  }
}
