import type { Settings } from '../../api/settings.ts'
import type { Storage } from '../storage/port.ts'
import { entryOf, FROM_SERVER } from './audit-entry.ts'
import { hashOf } from './audit-hash.ts'
import type { Changes } from './changes.ts'

const DAY = 24 * 60 * 60 * 1000
/** Entries taken away in one transaction; on the embedded engine it holds the event loop for some milliseconds. */
const AT_ONCE = 200

export interface RetentionDeps {
  storage: Storage
  changes: Changes
  clock: () => number
  settings: () => Settings
}

/**
 * Forgets entries older than the settings keep them, by whole days (UTC). The chain stays provable: an entry says up to where
 * it was trimmed, with the hash that the first entry left is chained to. What a crash left over is taken away, too.
 * `isStopping` ends it between two pieces.
 */
export async function trimAudit(deps: RetentionDeps, isStopping: () => boolean): Promise<void> {
  const { storage, changes, clock, settings } = deps
  const { audit_keep_days } = settings()
  if (audit_keep_days > 0) {
    const now = clock()
    const before = Math.floor(now / DAY) * DAY - audit_keep_days * DAY
    const trimmed = await storage.audit.trim(
      before,
      (trim) => entryOf({ event: 'audit_trimmed', ...trim }, FROM_SERVER, now),
      hashOf,
    )
    if (trimmed) changes.tell(['audit'])
  }
  while (!isStopping()) {
    if ((await storage.audit.removeTrimmed(AT_ONCE)) < AT_ONCE) return
    await new Promise<void>((resolve) => setImmediate(resolve))
  }
}
