import type { Kysely } from 'kysely'
import { createExchangeVerbs } from './atproto-exchanges.ts'
import { createFlowVerbs } from './atproto-flows.ts'
import { createGrantVerbs } from './atproto-grants.ts'
import { createClientKeyVerbs } from './atproto-keys.ts'
import { createPairingVerbs } from './atproto-pairings.ts'
import { createRefreshVerbs } from './atproto-refreshes.ts'
import type { Engine } from './engine.ts'
import type { AtprotoStore } from './port/atproto.ts'
import type { Tables } from './tables.ts'

export function createAtprotoStore(db: Kysely<Tables>, engine: Engine): AtprotoStore {
  return {
    ...createFlowVerbs(db),
    ...createExchangeVerbs(db, engine),
    ...createGrantVerbs(db, engine),
    ...createRefreshVerbs(db, engine),
    ...createPairingVerbs(db, engine),
    ...createClientKeyVerbs(db, engine),

    async sweep(before) {
      await db.deleteFrom('atproto_flows').where('expires_at', '<', before).execute()
      await db.deleteFrom('atproto_exchanges').where('expires_at', '<', before).execute()
      await db.deleteFrom('atproto_pairings').where('expires_at', '<', before).execute()
    },
  }
}
