import { onScopeDispose, watch } from 'vue'
import type { Topic } from '../../api/system.ts'
import { client } from '../api.ts'

interface Listener {
  topics: readonly Topic[]
  onChange: () => void
  /** When it was last up to date. */
  toldAt: number
}

/** Milliseconds. Whatever was loaded so shortly ago need not be loaded again because a connection greets us. */
const JUST_NOW = 1_000
const FIRST_WAIT = 1_000
const LONGEST_WAIT = 30_000
const LOOK_EVERY = 30_000

/** One connection for all who listen on this page: browsers allow few to one server. */
const listeners = new Set<Listener>()
let source: EventSource | undefined
let wait = FIRST_WAIT
let retry: ReturnType<typeof setTimeout> | undefined
let looking: ReturnType<typeof setInterval> | undefined

/**
 * Calls back when something of these topics has changed on the server, within a second: while the component is there
 * and somebody sees the page. Where the connection is lost it is tried again, and looked at every 30 seconds meanwhile.
 * A page that comes back into sight is told at once, because it has missed what happened. Where `wanted` says no,
 * nothing is listened to.
 */
export function useChanges(topics: readonly Topic[], onChange: () => void, wanted = () => true): void {
  const listener = { topics, onChange, toldAt: 0 }
  watch(wanted, (is) => (is ? join(listener) : leave(listener)), { immediate: true })
  onScopeDispose(() => leave(listener))
}

function join(listener: Listener): void {
  if (listeners.size === 0) document.addEventListener('visibilitychange', attend)
  listener.toldAt = Date.now()
  listeners.add(listener)
  listen()
}

function leave(listener: Listener): void {
  if (!listeners.delete(listener) || listeners.size > 0) return
  document.removeEventListener('visibilitychange', attend)
  hangUp()
}

function attend(): void {
  if (document.visibilityState === 'hidden') return hangUp()
  tellAll()
  listen()
}

function listen(): void {
  if (source || document.visibilityState === 'hidden') return
  clearTimeout(retry)
  const own = (source = new EventSource(client.system.changes()))
  let greeted = false
  own.onmessage = ({ data }: MessageEvent<string>) => {
    wait = FIRST_WAIT
    stopLooking()
    const due = greeted ? [...listeners] : [...listeners].filter(({ toldAt }) => Date.now() - toldAt >= JUST_NOW)
    greeted = true
    tell(due, topicsIn(data))
  }
  own.onerror = () => {
    own.close()
    source = undefined
    retry = setTimeout(listen, wait)
    wait = Math.min(wait * 2, LONGEST_WAIT)
    looking ??= setInterval(tellAll, LOOK_EVERY)
  }
}

function hangUp(): void {
  source?.close()
  source = undefined
  wait = FIRST_WAIT
  clearTimeout(retry)
  stopLooking()
}

function stopLooking(): void {
  clearInterval(looking)
  looking = undefined
}

function tellAll(): void {
  tell([...listeners])
}

/** Those of `due` who listen to something that has changed; without `changed`, all of them. */
function tell(due: readonly Listener[], changed?: readonly unknown[]): void {
  for (const listener of due) {
    if (changed && !listener.topics.some((topic) => changed.includes(topic))) continue
    listener.toldAt = Date.now()
    listener.onChange()
  }
}

function topicsIn(data: string): readonly unknown[] {
  const event: unknown = JSON.parse(data)
  if (typeof event !== 'object' || event === null || !('topics' in event)) return []
  return Array.isArray(event.topics) ? event.topics : []
}
