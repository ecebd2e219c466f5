import { type Kysely, sql, type Transaction } from 'kysely'
import type { Engine } from './engine.ts'
import type { AuditHead, AuditRecord, HashOf, NewAuditEntry } from './port/audit.ts'
import type { Tables } from './tables.ts'

const HOUR = 3_600_000

/** Entries with their places, and where the chain ends with them. */
export interface Chained {
  records: AuditRecord[]
  seq: number
  hash: string
}

/** Appends in a transaction of the caller's. */
export async function appendEntries(
  trx: Transaction<Tables>,
  engine: Engine['name'],
  entries: readonly NewAuditEntry[],
  hashOf: HashOf,
): Promise<void> {
  const named = await withNames(trx, entries)
  await storeEntries(trx, engine, chained(named, await lockHead(trx, engine), hashOf))
}

/** Holds the end of the chain until the transaction ends: whoever else appends waits. */
export async function lockHead(trx: Transaction<Tables>, engine: Engine['name']): Promise<AuditHead> {
  return trx
    .selectFrom('audit_head')
    .select(['seq', 'hash', 'trimmed_through'])
    .where('id', '=', 1)
    .$if(engine === 'postgres', (row) => row.forUpdate())
    .executeTakeFirstOrThrow()
}

export function chained(
  entries: readonly NewAuditEntry[],
  { seq, hash }: Pick<AuditHead, 'seq' | 'hash'>,
  hashOf: HashOf,
): Chained {
  const records = entries.map((entry) => {
    const record = { ...entry, seq: (seq += 1), previous: hash }
    hash = hashOf(record)
    return record
  })
  return { records, seq, hash }
}

/** Stores entries, moves the end of the chain behind them and counts them. */
export async function storeEntries(
  trx: Transaction<Tables>,
  engine: Engine['name'],
  { records, seq, hash }: Chained,
): Promise<void> {
  await insert(trx, engine, records)
  await trx.updateTable('audit_head').set({ seq, hash }).where('id', '=', 1).execute()
  for (const hour of hoursOf(records)) {
    await trx
      .insertInto('audit_hours')
      .values(hour)
      .onConflict((known) =>
        known.column('at').doUpdateSet({
          signed_in: sql`audit_hours.signed_in + excluded.signed_in`,
          refused: sql`audit_hours.refused + excluded.refused`,
          last_seq: sql`excluded.last_seq`,
        }),
      )
      .execute()
  }
}

/** The names of the people in entries that do not bring them. */
async function withNames(db: Kysely<Tables>, entries: readonly NewAuditEntry[]): Promise<NewAuditEntry[]> {
  const ids = new Set<number>()
  for (const { actor_id, actor, target_id, target } of entries) {
    if (actor_id !== null && actor === null) ids.add(actor_id)
    if (target_id !== null && target === null) ids.add(target_id)
  }
  if (ids.size === 0) return [...entries]
  const rows = await db
    .selectFrom('users')
    .select(['user_id', 'username'])
    .where('user_id', 'in', [...ids])
    .execute()
  const names = new Map(rows.map(({ user_id, username }) => [user_id, username]))
  const nameOf = (id: number | null) => (id === null ? null : (names.get(id) ?? null))
  return entries.map((entry) => ({
    ...entry,
    actor: entry.actor ?? nameOf(entry.actor_id),
    target: entry.target ?? nameOf(entry.target_id),
  }))
}

const FIELDS = [
  ['seq', 'integer'],
  ['at', 'bigint'],
  ['event', 'text'],
  ['refused', 'integer'],
  ['actor_id', 'integer'],
  ['actor', 'text'],
  ['target_id', 'integer'],
  ['target', 'text'],
  ['method', 'text'],
  ['ip', 'text'],
  ['user_agent', 'text'],
  ['request_id', 'text'],
  ['detail', 'text'],
  ['previous', 'text'],
] as const

const NAMES = sql.join(FIELDS.map(([name]) => sql.ref(name)))
const OF_POSTGRES = sql.join(FIELDS.map(([name, type]) => sql`${sql.ref(name)} ${sql.raw(type)}`))
const OF_SQLITE = sql.join(FIELDS.map(([name]) => sql`value ->> ${sql.lit(name)}`))

/** One statement with one parameter, however many entries: prepared once, and one line of the embedded engine's journal. */
async function insert(
  trx: Transaction<Tables>,
  engine: Engine['name'],
  records: readonly AuditRecord[],
): Promise<void> {
  const rows = JSON.stringify(
    records.map(({ outcome, ...record }) => ({ ...record, refused: outcome === 'refused' ? 1 : 0 })),
  )
  const source =
    engine === 'postgres'
      ? sql`select ${NAMES} from json_to_recordset(cast(${rows} as json)) as entries (${OF_POSTGRES})`
      : sql`select ${OF_SQLITE} from json_each(${rows})`
  await sql`insert into audit (${NAMES}) ${source}`.execute(trx)
}

function hoursOf(records: readonly AuditRecord[]): Tables['audit_hours'][] {
  const hours = new Map<number, Tables['audit_hours']>()
  for (const { seq, at, event, outcome } of records) {
    const start = Math.floor(at / HOUR) * HOUR
    const hour = hours.get(start) ?? { at: start, signed_in: 0, refused: 0, first_seq: seq, last_seq: seq }
    if (event === 'sign_in' && outcome === 'success') hour.signed_in += 1
    if (outcome === 'refused') hour.refused += 1
    hour.last_seq = seq
    hours.set(start, hour)
  }
  return [...hours.values()]
}
