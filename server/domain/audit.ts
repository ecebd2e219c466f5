import type { Topic } from '../../api/system.ts'
import type { Storage } from '../storage/port.ts'
import type { NewAuditEntry } from '../storage/port/audit.ts'
import { type AuditSource, entryOf } from './audit-entry.ts'
import { createFloods, type Kept } from './audit-floods.ts'
import { hashOf } from './audit-hash.ts'
import type { Changes } from './changes.ts'
import type { SecurityEvent } from './events.ts'

/** Entries written in one transaction at most. */
const MOST_AT_ONCE = 500
/** What an act that succeeded may have changed under somebody's eyes; a refusal only adds to the audit. */
const ALL: readonly Topic[] = ['access', 'login_tokens', 'audit']
const ONLY_AUDIT: readonly Topic[] = ['audit']

export interface AuditDeps {
  storage: Storage
  changes: Changes
  clock: () => number
}

/** Writes down what happened. */
export interface Audit {
  /**
   * Begins to write an event; fulfils when it is durable. Those that come while others are being written go together in the
   * next transaction. One of a flood may be left out, and is counted instead. Rejects when storage fails: then the act must
   * not be answered.
   */
  append(event: SecurityEvent, source: AuditSource): Promise<void>
  /** Writes what floods left out so far, and fulfils when nothing is being written. */
  settled(): Promise<void>
}

interface Waiting {
  entry: NewAuditEntry
  kept: Kept
  written: PromiseWithResolvers<void>
}

export function createAudit({ storage, changes, clock }: AuditDeps): Audit {
  const floods = createFloods()
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MOST_AT_ONCE)
      waiting = waiting.slice(MOST_AT_ONCE)
      await write(batch)
    }
    writing = undefined
  }

  async function write(batch: readonly Waiting[]): Promise<void> {
    const entries = batch.map(({ entry }) => entry)
    try {
      await storage.audit.append(entries, hashOf)
    } catch (error) {
      for (const { kept, written } of batch) {
        kept.failed()
        written.reject(error)
      }
      return
    }
    for (const { written } of batch) written.resolve()
    changes.tell(entries.some(({ outcome }) => outcome === 'success') ? ALL : ONLY_AUDIT)
  }

  function begin(kept: Kept): Promise<void> {
    const written = Promise.withResolvers<void>()
    const entry = entryOf(kept.event, kept.source, kept.at, kept.left_out)
    waiting.push({ entry, kept, written })
    writing ??= writeAll()
    return written.promise
  }

  /** Nobody waits for what others left behind; when it cannot be written, it is still owed. */
  const beginOwed = (owed: readonly Kept[]) => {
    for (const kept of owed) begin(kept).catch(() => {})
  }

  return {
    append(event, source) {
      const { owed, own } = floods.take({ event, source, at: clock() })
      beginOwed(owed)
      return own ? begin(own) : Promise.resolve()
    },

    async settled() {
      await writing
      beginOwed(floods.rest())
      await writing
    },
  }
}
