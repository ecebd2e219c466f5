import { type Kysely, type RawBuilder, sql } from 'kysely'
import { ACCESS_SOURCES, type AccessRow } from './access-sources.ts'
import { revokeAccess } from './access-revocation.ts'
import type { Engine } from './engine.ts'
import type {
  AccessFilter,
  AccessPlace,
  AccessQuery,
  AccessRecord,
  AccessStore,
  Lifetimes,
  StoredAccessKind,
} from './port/access.ts'
import type { Tables } from './tables.ts'

/** In the order in which those that were made at the same moment are listed. */
const KINDS = ['trusted_device', 'temporary_password', 'session', 'login_token', 'developer_token'] as const

/**
 * The board is not a table: it is read from the tables that let people in. Each kind is read along the index of its
 * creation, as far as the page could need, and the kinds are merged.
 */
export function createAccessStore(db: Kysely<Tables>, engine: Engine): AccessStore {
  return {
    async list(query, at) {
      const kinds = KINDS.filter((kind) => query.kind === undefined || query.kind === kind)
      const found = await Promise.all(kinds.map((kind) => readKind(db, kind, query, at)))
      // Sorting is stable: rows of one moment stay in the order of their kinds, and those of one kind in that of the index.
      return found
        .flat()
        .toSorted((one, other) => other.created_at - one.created_at)
        .slice(0, query.limit)
    },

    async count(filter, at, most) {
      const counts = KINDS.map(
        (kind) => sql`(select count(*) from (select 1 from ${rowsOf(kind, at)} where ${selects(kind, filter)}
          limit ${most}) as counted) as ${sql.ref(kind)}`,
      )
      const { rows } = await sql<Record<StoredAccessKind, number>>`select ${sql.join(counts)}`.execute(db)
      const [row] = rows
      if (!row) throw new Error('A count without a row')
      return row
    },

    revoke: (named, filter, at) => db.transaction().execute((trx) => revokeAccess(trx, engine, named, filter, at)),
  }
}

async function readKind(
  db: Kysely<Tables>,
  kind: StoredAccessKind,
  query: AccessQuery,
  at: Lifetimes,
): Promise<AccessRecord[]> {
  const { rows } = await sql<AccessRow>`
    select x.*, u.username, u.display_name, m.username as maker_username, m.display_name as maker_display_name
    from ${rowsOf(kind, at)} left join users as m on m.user_id = x.made_by
    where ${selects(kind, query)} and ${isAfter(kind, query.after)}
    order by x.created_at desc, x.id desc limit ${query.limit}`.execute(db)
  return rows.map((row) => toRecord(kind, row))
}

/** Everything of a kind that lets an enabled user in. */
function rowsOf(kind: StoredAccessKind, at: Lifetimes): RawBuilder<unknown> {
  return sql`(${ACCESS_SOURCES[kind](at)}) as x join users as u on u.user_id = x.user_id and u.enabled = 1`
}

function selects(kind: StoredAccessKind, filter: AccessFilter): RawBuilder<boolean> {
  const wanted: RawBuilder<boolean>[] = [sql`1 = 1`]
  if (filter.user_id !== undefined) wanted.push(sql`x.user_id = ${filter.user_id}`)
  if (filter.made_by !== undefined) wanted.push(sql`x.made_by = ${filter.made_by}`)
  if (filter.unused_since !== undefined)
    wanted.push(sql`coalesce(x.last_used_at, x.created_at) < ${filter.unused_since}`)
  if (filter.made_before !== undefined) wanted.push(sql`x.created_at < ${filter.made_before}`)
  if (filter.managed_by !== undefined) wanted.push(sql`u.manager_id = ${filter.managed_by} and u.superuser = 0`)
  if (filter.except_session !== undefined && kind === 'session') wanted.push(sql`x.id <> ${filter.except_session}`)
  return sql.join(wanted, sql` and `)
}

/** Behind the cursor in the order of the whole list, seen from one kind. */
function isAfter(kind: StoredAccessKind, after: AccessPlace | undefined): RawBuilder<boolean> {
  if (!after) return sql`1 = 1`
  if (kind === after.kind) {
    const id = kind === 'temporary_password' ? Number(after.id) : after.id
    return sql`(x.created_at < ${after.created_at} or (x.created_at = ${after.created_at} and x.id < ${id}))`
  }
  const places: readonly string[] = KINDS
  return places.indexOf(kind) > places.indexOf(after.kind)
    ? sql`x.created_at <= ${after.created_at}`
    : sql`x.created_at < ${after.created_at}`
}

function toRecord(kind: StoredAccessKind, row: AccessRow): AccessRecord {
  const { user_id, username, display_name, made_by, maker_username, maker_display_name } = row
  return {
    kind,
    id: String(row.id),
    user: { user_id, username, display_name },
    made_by:
      made_by === null || maker_username === null
        ? null
        : { user_id: made_by, username: maker_username, display_name: maker_display_name },
    reason: row.reason,
    auth_source: row.auth_source,
    amr: JSON.parse(row.amr),
    created_at: row.created_at,
    last_used_at: row.last_used_at,
    expires_at: row.expires_at,
    ip: row.ip,
    user_agent: row.user_agent,
  }
}
