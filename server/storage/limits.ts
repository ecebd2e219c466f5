import { type Kysely, sql } from 'kysely'
import type { LimitStore } from './port.ts'
import { NEVER, type Tables } from './tables.ts'

export function createLimitStore(db: Kysely<Tables>): LimitStore {
  return {
    async blockedUntil(key, now) {
      const row = await db.selectFrom('limits').select('blocked_until').where('key', '=', key).executeTakeFirst()
      return endOf(row?.blocked_until, now)
    },

    /** One upsert, so that failures counted at the same moment all count. */
    async fail(key, rule, now) {
      const window = finite(rule.window)
      const block = finite(rule.block)
      // Anew when the window has passed, or a block has ended.
      const anew = sql<boolean>`(limits.window_start <= cast(${now - window} as bigint) or limits.blocked_until <= cast(${now} as bigint))`
      const count = sql<number>`case when ${anew} then 1 else limits.count + 1 end`
      const blocked = rule.failures <= 1 ? sum(now, block) : null
      const row = await db
        .insertInto('limits')
        .values({ key, count: 1, window_start: now, blocked_until: blocked, forget_at: blocked ?? sum(now, window) })
        .onConflict((conflict) =>
          conflict.column('key').doUpdateSet({
            count,
            window_start: sql`case when ${anew} then cast(${now} as bigint) else limits.window_start end`,
            blocked_until: sql`case
              when ${count} >= ${rule.failures} then cast(${sum(now, block)} as bigint)
              when ${anew} then null
              else limits.blocked_until end`,
            forget_at: sql`case
              when ${count} >= ${rule.failures} then cast(${sum(now, block)} as bigint)
              else cast(${sum(now, window)} as bigint) end`,
          }),
        )
        .returning('blocked_until')
        .executeTakeFirstOrThrow()
      return endOf(row.blocked_until, now)
    },

    async clear(keys) {
      // Looked up first: most sign-ins have nothing to clear, and a read needs no durable write.
      const stored = await db.selectFrom('limits').select('key').where('key', 'in', keys).execute()
      if (stored.length > 0) await db.deleteFrom('limits').where('key', 'in', keys).execute()
    },

    async sweep(before) {
      await db.deleteFrom('limits').where('forget_at', '<', before).execute()
    },
  }
}

function endOf(blocked_until: number | null | undefined, now: number): number | undefined {
  if (blocked_until === null || blocked_until === undefined || blocked_until <= now) return undefined
  return blocked_until === NEVER ? Infinity : blocked_until
}

function finite(milliseconds: number): number {
  return Math.min(milliseconds, NEVER)
}

function sum(now: number, milliseconds: number): number {
  return milliseconds >= NEVER ? NEVER : now + milliseconds
}
