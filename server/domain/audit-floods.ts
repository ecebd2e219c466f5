import type { AuditSource } from './audit-entry.ts'
import type { SecurityEvent } from './events.ts'

const MINUTE = 60_000
/** Kinds that are remembered at a time. */
const MOST = 10_000
/** Refused sign-ins from one address that are written in a minute: their names differ, so each tells something. */
const MOST_SIGN_INS = 600

export interface Happening {
  event: SecurityEvent
  source: AuditSource
  at: number
}

/** What is to be written, with how many of its kind were left out before it. */
export interface Kept extends Happening {
  left_out: number
  /** Tell when it could not be written: the next one of its kind is then written in its stead. */
  failed(): void
}

/** Keeps floods of one and the same refusal short. Every other event is written. */
export interface Floods {
  /**
   * What to write now that this happened: the last ones of floods that ended meanwhile, and then itself, unless it is left
   * out. The first of a kind is written at once, and again when a minute has passed, with how many were left out between.
   */
  take(happening: Happening): { owed: Kept[]; own: Kept | undefined }
  /** The last one of each flood of which something was left out, for when the server stops. */
  rest(): Kept[]
}

interface Kind {
  key: string
  most: number
}

interface Minute extends Kind {
  until: number
  written: number
  left_out: number
  last: Happening
}

export function createFloods(): Floods {
  /** The one that ends first stands first. */
  const minutes = new Map<string, Minute>()

  function minuteOf(kind: Kind, happening: Happening): Minute {
    const before = minutes.get(kind.key)
    if (before && happening.at < before.until) return before
    const minute = { left_out: 0, last: happening, ...before, ...kind, until: happening.at + MINUTE, written: 0 }
    minutes.delete(kind.key)
    minutes.set(kind.key, minute)
    return minute
  }

  function keep(minute: Minute, happening: Happening): Kept {
    const { left_out } = minute
    minute.written += 1
    minute.left_out = 0
    const failed = () => {
      minute.written -= 1
      giveBack(minute, left_out)
    }
    return { ...happening, left_out, failed }
  }

  /** The last one that was left out; it stands for itself. */
  function keepLast(minute: Minute): Kept[] {
    const { left_out, last } = minute
    if (left_out === 0) return []
    minute.left_out = 0
    return [{ ...last, left_out: left_out - 1, failed: () => giveBack(minute, left_out) }]
  }

  function giveBack(minute: Minute, left_out: number): void {
    if (left_out === 0) return
    const now = minutes.get(minute.key) ?? minute
    now.left_out += left_out
    minutes.set(minute.key, now)
  }

  /** Of the minutes that are over, and of the oldest when there are too many. */
  function overdue(at: number): Kept[] {
    const kept: Kept[] = []
    for (const minute of minutes.values()) {
      if (minute.until > at && minutes.size <= MOST) break
      minutes.delete(minute.key)
      kept.push(...keepLast(minute))
    }
    return kept
  }

  return {
    take(happening) {
      const kind = kindOf(happening)
      const minute = kind && minuteOf(kind, happening)
      const owed = overdue(happening.at)
      if (!minute) return { owed, own: { ...happening, left_out: 0, failed: () => {} } }
      if (minute.written < minute.most) return { owed, own: keep(minute, happening) }
      minute.left_out += 1
      minute.last = happening
      return { owed, own: undefined }
    },

    rest: () => [...minutes.values()].flatMap(keepLast),
  }
}

/** Events with the same key are the same to whoever reads them; undefined: each counts. */
function kindOf({ event, source: { ip } }: Happening): Kind | undefined {
  switch (event.event) {
    case 'limited':
      return { key: `${event.event} ${event.scope} ${ip} ${event.user_id}`, most: 1 }
    case 'access_refused':
      return { key: `${event.event} ${event.user_id} ${event.code} ${event.entry}`, most: 1 }
    case 'sign_in_refused':
      return { key: `${event.event} ${ip}`, most: MOST_SIGN_INS }
    default:
      return undefined
  }
}
