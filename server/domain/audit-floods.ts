import type { SecurityEvent } from './events.ts'

const MINUTE = 60_000
/** Kinds that are remembered at a time. */
const MOST = 10_000

/**
 * Keeps floods of one and the same refusal short: it is written at once, and again when a minute has passed, with how many
 * were left out between. Undefined: leave this one out. Every other event is written.
 */
export type Floods = (event: SecurityEvent, ip: string | null, at: number) => { left_out: number } | undefined

export function createFloods(): Floods {
  const known = new Map<string, { until: number; left_out: number }>()

  return (event, ip, at) => {
    const key = keyOf(event, ip)
    if (key === undefined) return { left_out: 0 }
    const before = known.get(key)
    if (before && at < before.until) {
      before.left_out += 1
      return undefined
    }
    known.delete(key)
    known.set(key, { until: at + MINUTE, left_out: 0 })
    const [oldest] = known.keys()
    if (known.size > MOST && oldest !== undefined) known.delete(oldest)
    return { left_out: before?.left_out ?? 0 }
  }
}

/** Events with the same key are the same to whoever reads them. */
function keyOf(event: SecurityEvent, ip: string | null): string | undefined {
  switch (event.event) {
    case 'limited':
      return `${event.event} ${event.scope} ${ip} ${event.user_id}`
    case 'access_refused':
      return `${event.event} ${event.user_id} ${event.code} ${event.entry} ${event.target}`
    default:
      return undefined
  }
}
