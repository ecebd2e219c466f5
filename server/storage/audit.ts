import { type Kysely, type RawBuilder, sql } from 'kysely'
import { appendEntries, chained, lockHead, storeEntries } from './audit-chain.ts'
import { countOfPair, pairsOf, placesOf, type Span, type Walk, type WalkOptions, walksOf } from './audit-walks.ts'
import type { Engine } from './engine.ts'
import type { AuditFilter, AuditRecord, AuditStore } from './port/audit.ts'
import type { AuditTable, Tables } from './tables.ts'

const HOUR = 3_600_000
/** Matches are counted so far. */
const MOST_COUNTED = 1_000
/** So many entries are gathered and judged one by one. */
const FEW = 3_000
/** As many values as an index holds. */
const PAIR = 2

/** The audit as rows. Places are those in the chain: a page is bounded by them, so inserts move nothing. */
export function createAuditStore(db: Kysely<Tables>, engine: Engine): AuditStore {
  function head() {
    return db
      .selectFrom('audit_head')
      .select(['seq', 'hash', 'trimmed_through'])
      .where('id', '=', 1)
      .executeTakeFirstOrThrow()
  }

  async function rowsOf(places: RawBuilder<{ seq: number }>, order: 'asc' | 'desc'): Promise<AuditRecord[]> {
    const { rows } = await sql<AuditTable>`select ${COLUMNS} from audit where seq in (${places})
      order by seq ${sql.raw(order)}`.execute(db)
    return rows.map(toRecord)
  }

  async function count(places: RawBuilder<{ seq: number }>): Promise<number> {
    const { rows } = await sql<{ found: number }>`select count(*) as found from (${places}) as found`.execute(db)
    return Number(rows[0]?.found)
  }

  /** Of more than two values: whether two of them are rare together. Else all of them are common, and met soon. */
  async function plan(walk: Walk, options: WalkOptions): Promise<Walk> {
    if (walk.values.size <= PAIR) return walk
    for (const pair of pairsOf(walk)) {
      const { rows } = await countOfPair(walk, pair, options, FEW + 1).execute(db)
      if (Number(rows[0]?.found) <= FEW) return { ...walk, few: { pair, most: FEW + 1 } }
    }
    return walk
  }

  return {
    head,

    append: (entries, hashOf) =>
      db.transaction().execute(async (trx) => {
        await appendEntries(trx, engine.name, entries, hashOf)
      }),

    async list(filter, { before, limit }) {
      const { seq, trimmed_through } = await head()
      const whole = { after: trimmed_through, through: Infinity }
      const span = await narrow(db, filter, whole)
      const options = { engine: engine.name, span, time: filter, direction: 'newest' as const, limit }
      const walks = await Promise.all(walksOf(filter).map((walk) => plan(walk, options)))
      if (walks.length === 0) return { items: [], total: 0, total_exact: true }
      const page = { ...span, through: Math.min(span.through, (before ?? Infinity) - 1) }
      const found = rowsOf(placesOf(walks, { ...options, span: page }), 'desc')
      if (isEverything(filter)) return { items: await found, total: seq - trimmed_through, total_exact: true }
      const counted = count(placesOf(walks, { ...options, limit: MOST_COUNTED + 1 }))
      const [items, total] = await Promise.all([found, counted])
      return { items, total: Math.min(total, MOST_COUNTED), total_exact: total <= MOST_COUNTED }
    },

    async read(filter, { after, through, limit }) {
      const span = await narrow(db, filter, { after, through: Infinity })
      const options = { engine: engine.name, span, time: filter, direction: 'oldest' as const, limit }
      const walks = await Promise.all(walksOf(filter).map((walk) => plan(walk, options)))
      if (walks.length === 0) return []
      const rows = await rowsOf(placesOf(walks, options), 'asc')
      return rows.filter((entry) => entry.seq <= through)
    },

    activity: (from, to) =>
      db
        .selectFrom('audit_hours')
        .select(['at', 'signed_in', 'refused'])
        .where('at', '>=', from)
        .where('at', '<', to)
        .where((either) => either.or([either('signed_in', '>', 0), either('refused', '>', 0)]))
        .orderBy('at')
        .execute(),

    trim: (before, entryOf, hashOf) =>
      db.transaction().execute(async (trx) => {
        const start = await lockHead(trx, engine.name)
        const young = await trx
          .selectFrom('audit_hours')
          .select((its) => its.fn.min('first_seq').as('first'))
          .where('at', '>', before - HOUR)
          .executeTakeFirst()
        const through_seq = (young?.first ?? start.seq + 1) - 1
        if (through_seq <= start.trimmed_through) return undefined
        const next = await trx
          .selectFrom('audit')
          .select('previous')
          .where('seq', '=', through_seq + 1)
          .executeTakeFirst()
        const trim = {
          through_seq,
          through_hash: next?.previous ?? start.hash,
          count: through_seq - start.trimmed_through,
        }
        await storeEntries(trx, engine.name, chained([entryOf(trim)], start, hashOf))
        await trx.updateTable('audit_head').set({ trimmed_through: through_seq }).where('id', '=', 1).execute()
        await trx.deleteFrom('audit_hours').where('last_seq', '<=', through_seq).execute()
        return trim
      }),

    async removeTrimmed(limit) {
      const result = await sql`delete from audit where seq in (
        select seq from audit where seq <= (select trimmed_through from audit_head where id = 1) order by seq limit ${limit}
      )`.execute(db)
      return Number(result.numAffectedRows ?? 0)
    },
  }
}

const COLUMNS = sql.join(
  (
    [
      'seq',
      'at',
      'event',
      'refused',
      'actor_id',
      'actor',
      'target_id',
      'target',
      'method',
      'ip',
      'user_agent',
      'request_id',
      'detail',
      'previous',
    ] satisfies (keyof AuditTable)[]
  ).map((name) => sql.ref(name)),
)

function toRecord({ refused, ...row }: AuditTable): AuditRecord {
  return { ...row, outcome: refused === 1 ? 'refused' : 'success' }
}

function isEverything(filter: AuditFilter): boolean {
  return Object.values(filter).every((value) => value === undefined)
}

/**
 * The part of a span in which a time can lie. Clocks of several servers differ, so that times are not quite in the order of
 * the chain: the hours know their first and last entry.
 */
async function narrow(db: Kysely<Tables>, { from, to }: AuditFilter, span: Span): Promise<Span> {
  if (from === undefined && to === undefined) return span
  const row = await db
    .selectFrom('audit_hours')
    .select((its) => [its.fn.min('first_seq').as('first'), its.fn.max('last_seq').as('last')])
    .$if(from !== undefined, (hours) => hours.where('at', '>', (from ?? 0) - HOUR))
    .$if(to !== undefined, (hours) => hours.where('at', '<', to ?? 0))
    .executeTakeFirst()
  const { first, last } = row ?? {}
  if (typeof first !== 'number' || typeof last !== 'number') return { after: span.after, through: span.after }
  return { after: Math.max(span.after, first - 1), through: Math.min(span.through, last) }
}
