import { type Kysely, sql } from 'kysely'
import { hashOf } from '../server/domain/audit-hash.ts'
import { appendEntries } from '../server/storage/audit-chain.ts'
import type { NewAuditEntry } from '../server/storage/port/audit.ts'
import type { Tables } from '../server/storage/tables.ts'

const AT_ONCE = 2_000
const DAY = 86_400_000
const SPAN = 180 * DAY
const AGENT = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A program that signs in and reads all day, from its own address. */
export const ROBOT = { user_id: 2, ip: '192.0.2.10' }
/** Guessed at one account for a while, three months ago: a tenth of all entries. */
export const ATTACKER = { ip: '198.51.100.66', target: 3 }
/** Did few things, from anywhere. */
export const SELDOM = { user_id: 4_711, ip: '10.0.77.77' }

/** The entry with this number of so many, the last of them now. */
function entryAt(index: number, total: number, now: number): NewAuditEntry {
  const at = now - SPAN + Math.floor((index / total) * SPAN)
  const share = index / total
  if (share > 0.45 && share < 0.55) return refusal(at, ATTACKER.ip, ATTACKER.target)
  if (index % 4 === 0) return signIn(at, ROBOT.ip, ROBOT.user_id)
  if (index % 9_973 === 0) return signIn(at, SELDOM.ip, SELDOM.user_id)
  const spread = Math.imul(index, 2_654_435_761) >>> 0
  const person = 10 + (spread % 4_000)
  const ip = `10.0.${person % 60}.${spread % 250}`
  if (index % 7 === 0) return refusal(at, ip, person)
  if (index % 50 === 1) return admin(at, ip, 1, person, index % 100 === 1 ? 'password_reset' : 'user_edited')
  if (index % 20_000 === 3) return admin(at, '10.0.0.1', 1, null, 'settings_changed')
  return index % 3 === 0 ? admin(at, ip, person, person, 'sign_out') : signIn(at, ip, person)
}

function entry(at: number, fields: Partial<NewAuditEntry>): NewAuditEntry {
  const none = { actor_id: null, actor: null, target_id: null, target: null, method: null, ip: null }
  const event = 'sign_in'
  return {
    at,
    event,
    outcome: 'success',
    ...none,
    user_agent: AGENT,
    request_id: `0198a3b0-7c1d-4e2f-9a3b-${at.toString(16).padStart(12, '0')}`,
    detail: '{}',
    ...fields,
  }
}

const named = (id: number | null) => (id === null ? null : `person${id}`)

const people = (actor_id: number | null, target_id: number | null) => ({
  actor_id,
  actor: named(actor_id),
  target_id,
  target: named(target_id),
})

const signIn = (at: number, ip: string, id: number) =>
  entry(at, { ip, method: 'password', detail: '{"amr":["pwd"]}', ...people(id, id) })

const refusal = (at: number, ip: string, id: number) =>
  entry(at, {
    event: 'sign_in_refused',
    outcome: 'refused',
    method: 'password',
    ip,
    detail: '{"reason":"INCORRECT_CREDENTIALS"}',
    ...people(null, id),
  })

const admin = (at: number, ip: string, by: number, id: number | null, event: string) =>
  entry(at, { event, ip, ...people(by, id) })

/** Writes so many entries as one chain, as fast as the engine takes them. */
export async function seedAudit(db: Kysely<Tables>, engine: 'sqljs' | 'postgres', total: number): Promise<void> {
  const now = Date.now()
  const fill = async () => {
    for (let from = 0; from < total; from += AT_ONCE) {
      const length = Math.min(AT_ONCE, total - from)
      const entries = Array.from({ length }, (_, index) => entryAt(from + index, total, now))
      await db.transaction().execute((trx) => appendEntries(trx, engine, entries, hashOf))
    }
  }
  if (engine === 'sqljs') return fill()
  await withoutIndexes(db, fill)
  await sql`vacuum analyze audit`.execute(db)
}

/** Made at the end, they take a fraction of the time that they take row by row. */
async function withoutIndexes(db: Kysely<Tables>, fill: () => Promise<void>): Promise<void> {
  const { rows } = await sql<{ name: string; definition: string }>`
    select indexname as name, indexdef as definition from pg_indexes
    where tablename = 'audit' and indexname like 'audit_by_%'`.execute(db)
  for (const { name } of rows) await db.schema.dropIndex(name).execute()
  await fill()
  await sql`set maintenance_work_mem = '512MB'`.execute(db)
  for (const { definition } of rows) await sql.raw(definition).execute(db)
}
