import { computed, ref, shallowRef, watch } from 'vue'
import type { Access, AccessKind } from '../../api/access.ts'
import type { Arguments } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useChanges } from './use-changes.ts'
import { useNow } from './use-now.ts'
import { usePagedList } from './use-paged-list.ts'

type Query = NonNullable<Arguments<ApiTable['access']['list']>['query']>

export const ACCESS_KINDS = [
  'session',
  'login_token',
  'temporary_password',
  'developer_token',
  'trusted_device',
  'startup_token',
] as const satisfies readonly AccessKind[]

export const UNUSED_FOR = ['any', 'day', 'week', 'month'] as const
type UnusedFor = (typeof UNUSED_FOR)[number]

const DAY = 86_400_000
const DAYS: Record<UnusedFor, number> = { any: 0, day: 1, week: 7, month: 30 }

export const accessKey = ({ kind, id }: Pick<Access, 'kind' | 'id'>) => `${kind}:${id}`

/** Everything that can let somebody in, as filtered; it follows by itself what happens to it. `onGone` hears of what went. */
export function useAccessList(onGone: (gone: readonly Access[]) => void) {
  const kind = ref<AccessKind | 'all'>('all')
  const whom = ref<number | null>(null)
  const maker = ref<number | null>(null)
  const unused = ref<UnusedFor>('any')
  const counts = shallowRef<Record<AccessKind, number>>()
  const choice = computed(() => [kind.value, whom.value, maker.value, unused.value].join())
  let answered = ''
  const list = usePagedList<Access>(async (cursor, signal) => {
    const asked = choice.value
    const outcome = await client.access.list({ query: query(cursor) }, { signal })
    if (outcome.ok && !signal.aborted) {
      counts.value = outcome.data.counts
      answered = asked
    }
    return outcome
  })
  const { items, hasMore } = list
  const filtered = computed(() => whom.value !== null || maker.value !== null || unused.value !== 'any')

  const unusedSince = () => new Date(Date.now() - DAYS[unused.value] * DAY).toISOString()

  function query(cursor: string | undefined): Query {
    return {
      limit: '50',
      ...(kind.value === 'all' ? {} : { kind: kind.value }),
      ...(whom.value === null ? {} : { user_id: String(whom.value) }),
      ...(maker.value === null ? {} : { made_by: String(maker.value) }),
      ...(unused.value === 'any' ? {} : { unused_since: unusedSince() }),
      ...(cursor === undefined ? {} : { cursor }),
    }
  }

  /** All that the filter selects and that somebody can have seen here, for a revocation. */
  function everything() {
    return {
      filter: {
        ...(kind.value === 'all' ? {} : { kind: kind.value }),
        ...(whom.value === null ? {} : { user_id: whom.value }),
        ...(maker.value === null ? {} : { made_by: maker.value }),
        ...(unused.value === 'any' ? {} : { unused_since: unusedSince() }),
      },
      // By the server's clock, as all times in the list.
      made_before: new Date(Math.max(...items.value.map(madeAt)) + 1).toISOString(),
    }
  }

  let shown = ''
  watch(items, (now, before) => {
    const isSameChoice = answered === shown
    shown = answered
    if (isSameChoice) onGone(before.filter((item) => isGone(item, now)))
  })

  /** Not there any more; what only stands further down than the list was loaded is not gone. */
  function isGone(item: Access, now: readonly Access[]): boolean {
    const last = now.at(-1)
    const reaches = hasMore.value && last ? madeAt(last) : -Infinity
    return madeAt(item) > reaches && now.every((other) => accessKey(other) !== accessKey(item))
  }

  /** Time alone ends them too, and nobody says so. */
  const now = useNow()
  const ended = computed(() => items.value.filter(({ expires_at }) => expires_at !== null && isPast(expires_at)).length)
  const isPast = (iso: string) => Date.parse(iso) < now.value
  watch(ended, (many, before) => {
    if (many > before) void list.refresh()
  })
  watch(choice, list.reload)
  useChanges(['access'], list.refresh)
  void list.reload()

  return { kind, whom, maker, unused, counts, filtered, everything, ...list }
}

export type AccessList = ReturnType<typeof useAccessList>

function madeAt({ created_at }: Access): number {
  return created_at === null ? 0 : Date.parse(created_at)
}
