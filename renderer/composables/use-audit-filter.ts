import { computed } from 'vue'
import { type LocationQuery, useRoute, useRouter } from 'vue-router'
import type { AuditEvent, AuditOutcome } from '../../api/audit.ts'
import { isAuditEvent } from '../audit-events.ts'

export interface AuditFilter {
  event?: AuditEvent
  outcome?: AuditOutcome
  user_id?: string
  ip?: string
  from?: string
  to?: string
}

const OUTCOMES = ['success', 'refused'] as const satisfies readonly AuditOutcome[]

/** What is looked for. It stands in the page's own address, so that a view can be shared; it holds no secret. */
export function useAuditFilter() {
  const route = useRoute()
  const router = useRouter()
  const filter = computed(() => readFilter(route.query))
  const isSet = computed(() => Object.keys(filter.value).length > 0)

  /** `undefined` takes a condition away. */
  function change(patch: { [K in keyof AuditFilter]: AuditFilter[K] | undefined }): void {
    const next = Object.entries({ ...filter.value, ...patch }).filter(
      ([, value]) => value !== undefined && value !== '',
    )
    void router.replace({ query: Object.fromEntries(next) })
  }

  return { filter, isSet, change, reset: () => router.replace({ query: {} }) }
}

export type AuditFilterState = ReturnType<typeof useAuditFilter>

/** What of an address can be understood; the rest says nothing. */
function readFilter(query: LocationQuery): AuditFilter {
  const { event, outcome, user_id, ip, from, to } = query
  const known = OUTCOMES.find((name) => name === outcome)
  return {
    ...(isAuditEvent(event) ? { event } : {}),
    ...(known ? { outcome: known } : {}),
    ...(typeof user_id === 'string' && /^[1-9]\d{0,9}$/.test(user_id) ? { user_id } : {}),
    ...(typeof ip === 'string' && ip !== '' && ip.length <= 64 ? { ip } : {}),
    ...timeIn('from', from),
    ...timeIn('to', to),
  }
}

function timeIn(name: 'from' | 'to', value: unknown): AuditFilter {
  const time = typeof value === 'string' ? Date.parse(value) : NaN
  return Number.isNaN(time) ? {} : { [name]: new Date(time).toISOString() }
}
