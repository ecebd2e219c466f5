import type { ApiTable } from '../../api/index.ts'
import { OUTCOMES } from '../domain/audit-entry.ts'
import { exportAudit } from '../domain/audit-export.ts'
import { toWireEntry } from '../domain/audit-wire.ts'
import { iso } from '../domain/wire.ts'
import type { Call, Handlers } from '../call.ts'
import type { AuditFilter } from '../storage/port/audit.ts'

type Audit = Handlers<ApiTable>['audit']
type Asked = Omit<Call<ApiTable['audit']['export']>['query'], 'format'>

/** Hours that one answer may hold: those of a leap year and a day. */
const MOST_HOURS = 367 * 24
const HOUR = 3_600_000

const list: Audit['list'] = async ({ deps, query }) => {
  const { limit, cursor, ...asked } = query
  const filter = filterOf(asked)
  if (!filter) return { items: [], next_cursor: null, total: 0, total_exact: true }
  const page = await deps.storage.audit.list(filter, { before: placeOf(cursor), limit: limit + 1 })
  const shown = page.items.slice(0, limit)
  const last = shown.at(-1)
  return {
    ...page,
    items: shown.map(toWireEntry),
    next_cursor: page.items.length > limit && last ? String(last.seq) : null,
  }
}

const activity: Audit['activity'] = async ({ deps, query, fail }) => {
  const [from, to] = [Date.parse(query.from), Date.parse(query.to)]
  if (to - from > MOST_HOURS * HOUR) fail('INVALID_QUERY', [{ path: 'to', message: 'at most 367 days after from' }])
  const hours = await deps.storage.audit.activity(Math.floor(from / HOUR) * HOUR, to)
  return { hours: hours.map((hour) => ({ ...hour, at: iso(hour.at) })) }
}

const exportEntries: Audit['export'] = ({ deps, actor, query, record }) => {
  const { format, ...asked } = query
  const said = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  const day = iso(deps.clock()).slice(0, 10)
  record({ event: 'audit_exported', by: actor.user.user_id, format, filter: said })
  return {
    name: `latchkey-audit-${day}.${format}`,
    type: format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson; charset=utf-8',
    parts: exportAudit(deps, { filter: filterOf(asked), said, format }),
  }
}

/** What storage is asked for; undefined when nothing can be it: an event has one outcome. */
function filterOf({ from, to, outcome, ...asked }: Asked): AuditFilter | undefined {
  if (asked.event !== undefined && outcome !== undefined && OUTCOMES[asked.event] !== outcome) return undefined
  return {
    ...asked,
    outcome: asked.event === undefined ? outcome : undefined,
    from: from === undefined ? undefined : Date.parse(from),
    to: to === undefined ? undefined : Date.parse(to),
  }
}

/** A cursor that we did not make begins at the first page. */
function placeOf(cursor: string | undefined): number | undefined {
  return cursor !== undefined && /^[1-9]\d{0,9}$/.test(cursor) ? Math.min(Number(cursor), 2_147_483_647) : undefined
}

export const audit: Audit = { list, activity, export: exportEntries }
