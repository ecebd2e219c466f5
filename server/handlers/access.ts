import { type AccessKind, MOST_REVOKED } from '../../api/access.ts'
import type { ApiTable } from '../../api/index.ts'
import type { Handlers } from '../call.ts'
import { totalOf } from '../domain/access.ts'
import { decodePlace, encodePlace } from '../domain/cursor.ts'
import { toWireAccess } from '../domain/wire.ts'
import { isLastWayIn, lastWayIn } from '../domain/ways-in.ts'

type Access = Handlers<ApiTable>['access']

const list: Access['list'] = async ({ deps, actor, query }) => {
  const { limit, cursor, ...wanted } = query
  const filter = meant(wanted)
  const [{ items, next }, counts] = await Promise.all([
    deps.access.list(actor, filter, { limit, after: decodePlace(cursor) }),
    deps.access.count(actor, filter),
  ])
  return {
    items: items.map((item) => toWireAccess(item, actor.session, deps.settings())),
    next_cursor: next ? encodePlace(next) : null,
    ...totalOf(counts, filter.kind),
    counts,
  }
}

const revoke: Access['revoke'] = async ({ deps, actor, body, record, fail }) => {
  const { items, filter, made_before } = body
  if (items) return { revoked: await end(items), more: false }
  const wanted = { ...meant({ ...filter, made_before }), except_session: actor.session.session_id }
  const found = await deps.access.list(actor, wanted, { limit: MOST_REVOKED })
  const revoked = await end(found.items)
  // What could not be ended was ended by others meanwhile; when nothing at all could, asking again is of no use.
  return { revoked, more: found.next !== undefined && revoked > 0 }

  async function end(named: readonly { kind: AccessKind; id: string }[]): Promise<number> {
    const ended = await deps.access.revoke(actor, named, record)
    return isLastWayIn(ended) ? fail('LAST_WAY_IN', lastWayIn(ended, actor)) : ended
  }
}

interface Wanted {
  kind?: AccessKind | undefined
  user_id?: number | undefined
  made_by?: number | undefined
  unused_since?: string | undefined
  made_before?: string | undefined
}

/** A filter of the wire, its dates as times. */
function meant({ unused_since, made_before, ...filter }: Wanted) {
  return { ...filter, unused_since: timeOf(unused_since), made_before: timeOf(made_before) }
}

function timeOf(date: string | undefined): number | undefined {
  return date === undefined ? undefined : Date.parse(date)
}

export const access: Access = { list, revoke }
