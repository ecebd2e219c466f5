import type { Access, AccessKind } from '../api/access.ts'
import { MOST_COUNTED } from './components/access/kinds.ts'
import { ACCESS_KINDS, type AccessList } from './composables/use-access-list.ts'
import type { RevokePlan } from './composables/use-access-revoke.ts'

/** What a revocation would end, as it is known when the question is asked. */
export interface RevokeQuestion {
  plan: RevokePlan
  kinds: { kind: AccessKind; n: number; exact: boolean }[]
  total: number
  exact: boolean
  /** Whose it is, where it is one person's alone; and who made it, where the filter says so. */
  whom: string | undefined
  maker: string | undefined
}

/** About some that were picked. */
export function questionOf(items: readonly Access[]): RevokeQuestion {
  const names = new Set(items.map(({ user }) => user.username))
  const whom = names.size === 1 ? [...names][0] : undefined
  const numbers = ACCESS_KINDS.map((kind) => [kind, items.filter((item) => item.kind === kind).length] as const)
  return { plan: { items }, whom, maker: undefined, ...summed(numbers) }
}

/** About all that a filter finds. The caller's own session stays, so it is not counted where it is in sight. */
export function questionOfAll({ kind, whom, maker, counts, items, everything }: AccessList): RevokeQuestion {
  const own = items.value.filter(({ current }) => current).length
  const numbers = ACCESS_KINDS.filter((one) => kind.value === 'all' || kind.value === one).map(
    (one) => [one, (counts.value?.[one] ?? 0) - (one === 'session' ? own : 0)] as const,
  )
  const [first] = items.value
  return {
    plan: everything(),
    whom: whom.value === null ? undefined : first?.user.username,
    maker: maker.value === null ? undefined : first?.made_by?.username,
    ...summed(numbers),
  }
}

function summed(
  numbers: readonly (readonly [AccessKind, number])[],
): Pick<RevokeQuestion, 'kinds' | 'total' | 'exact'> {
  const kinds = numbers
    .filter(([, n]) => n > 0)
    .map(([kind, n]) => ({ kind, n: Math.min(n, MOST_COUNTED), exact: n <= MOST_COUNTED }))
  return { kinds, total: kinds.reduce((sum, { n }) => sum + n, 0), exact: kinds.every(({ exact }) => exact) }
}
