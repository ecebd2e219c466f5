import type { Kysely } from 'kysely'
import type { AtprotoStore, FlowRecord } from './port/atproto.ts'
import { flag } from './rows.ts'
import type { Tables } from './tables.ts'

/** The verbs of flows that left for a provider. */
export function createFlowVerbs(db: Kysely<Tables>): Pick<AtprotoStore, 'createFlow' | 'findFlow' | 'takeFlow'> {
  return {
    async createFlow(flow) {
      await db
        .insertInto('atproto_flows')
        .values({ ...flow, prompted: flag(flow.prompted) })
        .execute()
    },

    async findFlow(state_hash) {
      const row = await db
        .selectFrom('atproto_flows')
        .selectAll()
        .where('state_hash', '=', state_hash)
        .executeTakeFirst()
      return row && toFlow(row)
    },

    async takeFlow(state_hash) {
      const row = await db
        .deleteFrom('atproto_flows')
        .where('state_hash', '=', state_hash)
        .returningAll()
        .executeTakeFirst()
      return row && toFlow(row)
    },
  }
}

function toFlow(row: Tables['atproto_flows']): FlowRecord {
  return { ...row, prompted: row.prompted === 1 }
}
