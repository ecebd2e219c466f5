import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Access, MOST_REVOKED } from '../../api/access.ts'
import type { Refused } from '../../api/client.ts'
import type { Arguments } from '../../api/endpoint.ts'
import type { ApiTable } from '../../api/index.ts'
import { client } from '../api.ts'
import { useReauth } from '../stores/reauth.ts'
import type { AccessList } from './use-access-list.ts'

type Body = NonNullable<Arguments<ApiTable['access']['revoke']>['body']>

/** The named, or all that a filter finds. */
export type RevokePlan = { items: readonly Access[] } | ReturnType<AccessList['everything']>

const AT_ONCE: typeof MOST_REVOKED = 200

/** Revokes many in as many calls as it takes: how far it is, and whether something kept it from its end. */
export function useAccessRevoke() {
  const reauth = useReauth()
  const phase = ref<'before' | 'running' | 'over'>('before')
  const settled = ref(0)
  const revoked = ref(0)
  const stopping = ref(false)
  /** Whether all was done that the plan names. */
  const complete = ref(false)
  const error = shallowRef<Refused>()

  async function run(plan: RevokePlan): Promise<void> {
    clear()
    phase.value = 'running'
    complete.value = await revokeAll('items' in plan ? inParts(plan.items) : again(plan))
    phase.value = 'over'
  }

  async function revokeAll(bodies: Iterable<Body>): Promise<boolean> {
    for (const body of bodies) {
      if (stopping.value) return false
      const outcome = await reauth.around(() => client.access.revoke({ body }))
      if (!outcome.ok) {
        error.value = outcome.error
        return false
      }
      revoked.value += outcome.data.revoked
      settled.value += body.items?.length ?? outcome.data.revoked
      if (body.filter && !outcome.data.more) return true
    }
    return true
  }

  function stop(): void {
    stopping.value = true
  }

  function clear(): void {
    phase.value = 'before'
    settled.value = 0
    revoked.value = 0
    stopping.value = false
    complete.value = false
    error.value = undefined
  }

  onScopeDispose(stop)
  return { phase, settled, revoked, stopping, complete, error, run, stop, clear }
}

function* inParts(items: readonly Access[]): Generator<Body> {
  for (let from = 0; from < items.length; from += AT_ONCE) {
    yield { items: items.slice(from, from + AT_ONCE).map(({ kind, id }) => ({ kind, id })) }
  }
}

/** The same question, until there is nothing more. */
function* again(body: Body): Generator<Body> {
  for (;;) yield body
}
