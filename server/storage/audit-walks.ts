import { type RawBuilder, sql } from 'kysely'
import type { Engine } from './engine.ts'
import type { AuditFilter } from './port/audit.ts'

type Column = 'event' | 'refused' | 'actor_id' | 'target_id' | 'ip'
/** The columns of an index, in its order. */
export type Pair = readonly Column[]

/** Two values that few entries have together, `most` at the most. */
interface Few {
  pair: Pair
  most: number
}

/**
 * One walk along an index: the entries that have all of these values. A filter is a walk or two: actor or target are two.
 * One or two values have an index of their own; of more the walk judges what it meets.
 */
export interface Walk {
  values: ReadonlyMap<Column, string | number>
  few?: Few
}

/** Entries after the one (0: from the first) and up to the other (Infinity: to the last), both by their place in the chain. */
export interface Span {
  after: number
  through: number
}

/** None: nothing can have what the filter asks for. */
export function walksOf(filter: AuditFilter): Walk[] {
  const values = new Map<Column, string | number>()
  if (filter.event !== undefined) values.set('event', filter.event)
  else if (filter.outcome !== undefined) values.set('refused', filter.outcome === 'refused' ? 1 : 0)
  if (filter.actor_id !== undefined) values.set('actor_id', filter.actor_id)
  if (filter.target_id !== undefined) values.set('target_id', filter.target_id)
  if (filter.ip !== undefined) values.set('ip', filter.ip)
  const { user_id } = filter
  if (user_id === undefined || user_id === filter.actor_id || user_id === filter.target_id) return [{ values }]
  const sides = (['actor_id', 'target_id'] as const).filter((side) => !values.has(side))
  return sides.map((side) => ({ values: new Map([...values, [side, user_id]]) }))
}

export interface WalkOptions {
  engine: Engine['name']
  span: Span
  time: Pick<AuditFilter, 'from' | 'to'>
  direction: 'newest' | 'oldest'
  limit: number
}

/** The places of the entries that the walks come by, each once, in order. There must be a walk. */
export function placesOf(walks: readonly Walk[], options: WalkOptions): RawBuilder<{ seq: number }> {
  const parts = walks.map((walk) => sql`select seq from (${alongIndex(walk, options)}) as part`)
  const order = options.direction === 'newest' ? sql`desc` : sql`asc`
  return sql`select seq from (${sql.join(parts, sql` union `)}) as places order by seq ${order} limit ${options.limit}`
}

/** How many entries have both values, counted up to so many. */
export function countOfPair(
  walk: Walk,
  pair: Pair,
  { engine, span }: WalkOptions,
  most: number,
): RawBuilder<{ found: number }> {
  const place = placeIn(engine, pair)
  return sql`select count(*) as found from (
    select 1 from audit ${indexedBy(engine, pair)} where ${sql.join([...equal(walk, pair), within(span, place)], sql` and `)}
    order by ${inOrder(place, 'newest')} limit ${most}) as pair`
}

function alongIndex(walk: Walk, options: WalkOptions): RawBuilder<unknown> {
  const { engine, span, direction, limit } = options
  if (walk.few) return amongFew(walk, walk.few, options)
  const columns = [...walk.values.keys()]
  const place = placeIn(engine, columns)
  const conditions = [...equal(walk, columns), ...inTime(options), within(span, place)]
  return sql`select seq from audit ${indexedBy(engine, pairsOf(walk)[0] ?? columns)}
    where ${sql.join(conditions, sql` and `)} order by ${inOrder(place, direction)} limit ${limit}`
}

/** The inner limit is a fence: those with both values are gathered by their index, and the others judged among them. */
function amongFew(walk: Walk, { pair, most }: Few, options: WalkOptions): RawBuilder<unknown> {
  const { engine, span, direction, limit } = options
  const place = placeIn(engine, pair)
  const others = [...equal(walk, [...walk.values.keys()]), ...inTime(options)]
  return sql`select seq from (
      select seq, at, event, refused, actor_id, target_id, ip from audit ${indexedBy(engine, pair)}
      where ${sql.join([...equal(walk, pair), within(span, place)], sql` and `)}
      order by ${inOrder(place, 'newest')} limit ${most}
    ) as few where ${sql.join(others, sql` and `)} order by ${inOrder({ sql: sql`seq`, isNegated: false }, direction)} limit ${limit}`
}

/** The place in the chain as an index holds it. */
interface Place {
  sql: RawBuilder<unknown>
  isNegated: boolean
}

/** On PostgreSQL each kind of index holds it in words of its own, which only that kind has the order of: see the migration. */
function placeIn(engine: Engine['name'], columns: readonly Column[]): Place {
  if (engine === 'sqljs' || columns.length === 0) return { sql: sql`seq`, isNegated: false }
  return { sql: columns.length === 1 ? sql`(-seq)` : sql`(0 - seq)`, isNegated: true }
}

function inOrder(place: Place, direction: WalkOptions['direction']): RawBuilder<unknown> {
  return sql`${place.sql} ${(direction === 'newest') === place.isNegated ? sql`asc` : sql`desc`}`
}

function equal(walk: Walk, columns: readonly Column[]): RawBuilder<unknown>[] {
  return columns.map((column) => sql`${sql.ref(column)} = ${walk.values.get(column)}`)
}

function inTime({ time }: WalkOptions): RawBuilder<unknown>[] {
  const conditions: RawBuilder<unknown>[] = []
  if (time.from !== undefined) conditions.push(sql`at >= ${time.from}`)
  if (time.to !== undefined) conditions.push(sql`at < ${time.to}`)
  return conditions
}

/** An end that is open is left out: PostgreSQL takes a range with two ends for a very small part of the table. */
function within({ after, through }: Span, { sql: place, isNegated }: Place): RawBuilder<unknown> {
  const older = isNegated ? sql`${place} >= cast(${-through} as integer)` : sql`${place} <= ${through}`
  const younger = isNegated ? sql`${place} < cast(${-after} as integer)` : sql`${place} > ${after}`
  const ends = [...(through === Infinity ? [] : [older]), ...(after === 0 ? [] : [younger])]
  return ends.length === 0 ? sql`1 = 1` : sql.join(ends, sql` and `)
}

/** SQLite has no statistics: it is told. PostgreSQL finds the index by its order. */
function indexedBy(engine: Engine['name'], columns: readonly Column[]): RawBuilder<unknown> {
  if (engine === 'postgres' || columns.length === 0) return sql``
  return sql`indexed by ${sql.ref(`audit_by_${columns.join('_')}`)}`
}

/** The indexes of two columns that a walk could take; those that usually say the most come first. */
export function pairsOf({ values }: Walk): readonly Pair[] {
  return PAIRS.filter((pair) => pair.every((column) => values.has(column)))
}

const PAIRS: readonly Pair[] = [
  ['actor_id', 'target_id'],
  ['target_id', 'ip'],
  ['actor_id', 'ip'],
  ['target_id', 'event'],
  ['actor_id', 'event'],
  ['ip', 'event'],
  ['target_id', 'refused'],
  ['actor_id', 'refused'],
  ['ip', 'refused'],
]
