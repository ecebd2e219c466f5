import type { Listening } from '../../api/endpoint.ts'
import type { Topic } from '../../api/system.ts'

/** Milliseconds between two events of one listener at the least; what changes meanwhile is told together. */
const PACE = 250
/** Listeners at a time: in all, of one user and of one session. */
const MOST_LISTENERS = 1000
const MOST_OF_USER = 24
const MOST_OF_SESSION = 12

/** Tells those who look at something that it has changed. */
export interface Changes {
  /** These have changed. */
  tell(topics: readonly Topic[]): void
  /**
   * What changes of these topics from now on. All of them at once at first, so that nothing is missed between a look and
   * the listening. `full`: too many listen, in all, of this user or of this session, or all listening
   * has ended.
   */
  listen(session_id: string, topics: readonly Topic[], user_id: number): Listening<{ topics: Topic[] }> | 'full'
  /** Whether anybody listens. */
  isHeard(): boolean
  /** Ends all listening, for good: nobody begins to listen any more. */
  stop(): void
}

interface Listener {
  session_id: string
  user_id: number | undefined
  told: (topics: readonly Topic[]) => void
  end: () => void
}

export function createChanges(): Changes {
  const listeners = new Set<Listener>()
  let stopped = false

  function isFull(session_id: string, user_id: number | undefined): boolean {
    if (stopped || listeners.size >= MOST_LISTENERS) return true
    const all = [...listeners]
    if (all.filter((listener) => listener.session_id === session_id).length >= MOST_OF_SESSION) return true
    return user_id !== undefined && all.filter((listener) => listener.user_id === user_id).length >= MOST_OF_USER
  }

  return {
    tell(topics) {
      for (const { told } of listeners) told(topics)
    },
    listen(session_id, topics, user_id) {
      if (isFull(session_id, user_id)) return 'full'
      return (hear, ended) => {
        // Others may have begun since, or all may have been stopped.
        if (isFull(session_id, user_id)) {
          ended()
          return noop
        }
        const paced = createPaced(topics, hear)
        const listener = { session_id, user_id, told: paced.told, end: ended }
        listeners.add(listener)
        paced.told(topics)
        return () => {
          listeners.delete(listener)
          paced.stop()
        }
      }
    },
    isHeard: () => listeners.size > 0,
    stop() {
      stopped = true
      for (const { end } of listeners) end()
    },
  }
}

function noop(): void {}

/** Passes the first on at once, and what follows too soon together, a little later. */
function createPaced(topics: readonly Topic[], hear: (event: { topics: Topic[] }) => void) {
  const due = new Set<Topic>()
  let resting: NodeJS.Timeout | undefined

  function flush(): void {
    resting = undefined
    if (due.size === 0) return
    hear({ topics: [...due] })
    due.clear()
    resting = setTimeout(flush, PACE)
  }

  return {
    told(changed: readonly Topic[]) {
      for (const topic of changed) if (topics.includes(topic)) due.add(topic)
      if (!resting) flush()
    },
    stop: () => clearTimeout(resting),
  }
}
