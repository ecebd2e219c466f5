import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { HASH_OF_NOTHING, hashOf } from '../../server/domain/audit-hash.ts'
import type { Storage } from '../../server/storage/port.ts'
import type { AuditFilter, AuditRecord, NewAuditEntry } from '../../server/storage/port/audit.ts'
import { breaksOf, buildEntry, readAll } from './audit-entries.ts'
import { atOnce, HOUR, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const EVENTS = ['sign_in', 'sign_in_refused', 'settings_changed', 'limited']

/** Numbers that are the same at every run. */
function createDice(seed: number) {
  let state = seed
  return (sides: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * sides)
  }
}

/** Entries of all kinds whose times are not quite in order, as those of two servers. */
function randomEntries(count: number): NewAuditEntry[] {
  const roll = createDice(20_261_122)
  return Array.from({ length: count }, (_, index) => {
    const event = EVENTS[roll(EVENTS.length)] ?? ''
    return buildEntry({
      at: NOW + index * 600_000 + (roll(3) - 1) * 2 * HOUR,
      event,
      outcome: event === 'sign_in' || event === 'settings_changed' ? 'success' : 'refused',
      actor_id: roll(3) === 0 ? null : 1 + roll(4),
      target_id: roll(3) === 0 ? null : 1 + roll(4),
      ip: roll(5) === 0 ? null : `192.0.2.${roll(4)}`,
    })
  })
}

function isWanted(entry: AuditRecord, filter: AuditFilter): boolean {
  const { event, outcome, actor_id, target_id, user_id, ip, from, to } = filter
  return (
    (event === undefined || entry.event === event) &&
    (outcome === undefined || entry.outcome === outcome) &&
    (actor_id === undefined || entry.actor_id === actor_id) &&
    (target_id === undefined || entry.target_id === target_id) &&
    (user_id === undefined || entry.actor_id === user_id || entry.target_id === user_id) &&
    (ip === undefined || entry.ip === ip) &&
    (from === undefined || entry.at >= from) &&
    (to === undefined || entry.at < to)
  )
}

function randomFilter(roll: (sides: number) => number): AuditFilter {
  const now = NOW + roll(400) * 600_000
  const event = roll(3) === 0 ? EVENTS[roll(4)] : undefined
  return {
    event,
    outcome: event === undefined && roll(3) === 0 ? (roll(2) === 0 ? 'success' : 'refused') : undefined,
    actor_id: roll(4) === 0 ? 1 + roll(5) : undefined,
    target_id: roll(4) === 0 ? 1 + roll(5) : undefined,
    user_id: roll(4) === 0 ? 1 + roll(5) : undefined,
    ip: roll(4) === 0 ? `192.0.2.${roll(5)}` : undefined,
    from: roll(4) === 0 ? now : undefined,
    to: roll(4) === 0 ? now + roll(100) * 600_000 : undefined,
  }
}

describe.each(ENGINES)('the audit on $name', (engine) => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await engine.create()
  })
  afterAll(() => database.drop())

  /** A database of its own, with so many servers on it where that is possible. */
  async function withStorages(count: number, run: (storages: Storage[]) => Promise<void>): Promise<void> {
    const own = await engine.create()
    const storages: Storage[] = []
    for (let index = 0; index < (engine.shared ? count : 1); index++) storages.push(await own.open())
    try {
      await run(storages)
    } finally {
      for (const storage of storages) await storage.close()
      await own.drop()
    }
  }

  describe('filters', () => {
    let storage: Storage
    let all: AuditRecord[]
    beforeAll(async () => {
      storage = await database.open()
      const entries = randomEntries(400)
      for (let from = 0; from < entries.length; from += 40)
        await storage.audit.append(entries.slice(from, from + 40), hashOf)
      all = await readAll(storage)
    })
    afterAll(() => storage.close())

    test('find what a look at every entry finds, in pages of both directions, whatever they combine', async () => {
      expect(all).toHaveLength(400)
      const roll = createDice(7)
      for (let round = 0; round < 250; round++) {
        const filter = randomFilter(roll)
        const wanted = all.filter((entry) => isWanted(entry, filter))
        const newest = wanted.toReversed()
        const first = await storage.audit.list(filter, { limit: 7 })
        expect(first, JSON.stringify(filter)).toEqual({
          items: newest.slice(0, 7),
          total: wanted.length,
          total_exact: true,
        })
        const before = all[roll(all.length)]?.seq
        const deep = await storage.audit.list(filter, { before, limit: 7 })
        expect(deep.items, JSON.stringify({ filter, before })).toEqual(
          newest.filter(({ seq }) => seq < (before ?? 0)).slice(0, 7),
        )
        expect(await readAll(storage, filter), JSON.stringify(filter)).toEqual(wanted)
      }
    })

    test('count the sign-ins and refusals of each hour', async () => {
      const hours = await storage.audit.activity(NOW - 10 * HOUR, NOW + 100 * HOUR)
      const signedIn = all.filter(({ event }) => event === 'sign_in').length
      const refused = all.filter(({ outcome }) => outcome === 'refused').length
      expect(hours.reduce((sum, hour) => sum + hour.signed_in, 0)).toBe(signedIn)
      expect(hours.reduce((sum, hour) => sum + hour.refused, 0)).toBe(refused)
      const [hour] = await storage.audit.activity(NOW + 5 * HOUR, NOW + 6 * HOUR)
      const within = all.filter(({ at }) => at >= NOW + 5 * HOUR && at < NOW + 6 * HOUR)
      expect(hour).toEqual({
        at: NOW + 5 * HOUR,
        signed_in: within.filter(({ event }) => event === 'sign_in').length,
        refused: within.filter(({ outcome }) => outcome === 'refused').length,
      })
    })
  })

  test('a new one is empty, and its first entry is chained to nothing', () =>
    withStorages(1, async ([storage]) => {
      expect(await storage?.audit.head()).toEqual({ seq: 0, hash: HASH_OF_NOTHING, trimmed_through: 0 })
      expect(await storage?.audit.list({}, { limit: 5 })).toEqual({ items: [], total: 0, total_exact: true })
      await storage?.audit.append([buildEntry()], hashOf)
      const page = await storage?.audit.list({}, { limit: 5 })
      expect(page).toMatchObject({ items: [{ seq: 1, previous: HASH_OF_NOTHING }], total: 1 })
    }))

  test('appends of many callers at once make one chain without gaps or forks', () =>
    withStorages(2, async (storages) => {
      await atOnce(60, async (index) => {
        const entries = Array.from({ length: 1 + (index % 4) }, (_, at) =>
          buildEntry({ detail: `{"n":${index * 10 + at}}` }),
        )
        await storages[index % storages.length]?.audit.append(entries, hashOf)
      })
      const [storage] = storages
      if (!storage) throw new Error('no storage')
      expect(await breaksOf(storage)).toEqual([])
      expect((await storage.audit.head()).seq).toBe(150)
      const numbers = (await readAll(storage)).map(({ detail }) => JSON.parse(detail).n as number)
      expect(new Set(numbers).size).toBe(150)
      // What one caller hands over stays together and in order.
      for (const [at, number] of numbers.entries()) if (number % 10 !== 0) expect(numbers[at - 1]).toBe(number - 1)
    }))

  test('an append whose hash fails leaves nothing behind', () =>
    withStorages(1, async ([storage]) => {
      if (!storage) throw new Error('no storage')
      await storage.audit.append([buildEntry()], hashOf)
      const broken = () => {
        throw new Error('broken on purpose')
      }
      await expect(storage.audit.append([buildEntry(), buildEntry()], broken)).rejects.toThrow('on purpose')
      await storage.audit.append([buildEntry()], hashOf)
      expect((await storage.audit.head()).seq).toBe(2)
      expect(await breaksOf(storage)).toEqual([])
    }))

  test('keeps the names that people had, and those that an event brings', () =>
    withStorages(1, async ([storage]) => {
      if (!storage) throw new Error('no storage')
      const [ann, bob] = [await storeUser(storage, { username: 'ann' }), await storeUser(storage, { username: 'bob' })]
      await storage.audit.append([buildEntry({ actor_id: ann, target_id: bob })], hashOf)
      await storage.users.edit(ann, { username: 'anna' }, NOW)
      await storage.users.remove(bob, NOW)
      await storage.audit.append([buildEntry({ actor_id: ann, target_id: bob, target: 'bob' })], hashOf)
      await storage.audit.append([buildEntry({ actor_id: 4711, target_id: bob })], hashOf)
      const names = (await readAll(storage)).map(({ actor, target }) => [actor, target])
      expect(names).toEqual([
        ['ann', 'bob'],
        ['anna', 'bob'],
        [null, null],
      ])
    }))

  test('every character that a header or a detail can hold comes back as it was', () =>
    withStorages(1, async ([storage]) => {
      if (!storage) throw new Error('no storage')
      const entry = buildEntry({
        user_agent: `"',;\\ÿ\t\u{1F511}`,
        detail: JSON.stringify({ text: '\u0000\ud800\n"' }),
      })
      await storage.audit.append([entry], hashOf)
      expect(await readAll(storage)).toMatchObject([entry])
    }))

  test('pages stay what they were while entries are added', () =>
    withStorages(1, async ([storage]) => {
      if (!storage) throw new Error('no storage')
      await storage.audit.append(
        Array.from({ length: 30 }, () => buildEntry()),
        hashOf,
      )
      const seen: number[] = []
      for (let before: number | undefined; ;) {
        const { items } = await storage.audit.list({ event: 'sign_in' }, { before, limit: 7 })
        if (items.length === 0) break
        seen.push(...items.map(({ seq }) => seq))
        before = items.at(-1)?.seq
        await storage.audit.append([buildEntry()], hashOf)
      }
      expect(seen).toEqual(Array.from({ length: 30 }, (_, index) => 30 - index))
    }))

  test('counts no further than 1,000, and says so', () =>
    withStorages(1, async ([storage]) => {
      if (!storage) throw new Error('no storage')
      const entries = Array.from({ length: 1_000 }, () => buildEntry({ actor_id: 1, target_id: 1 }))
      await storage.audit.append(entries, hashOf)
      expect(await storage.audit.list({ user_id: 1 }, { limit: 1 })).toMatchObject({ total: 1_000, total_exact: true })
      await storage.audit.append(entries.slice(0, 1), hashOf)
      expect(await storage.audit.list({ user_id: 1 }, { limit: 1 })).toMatchObject({ total: 1_000, total_exact: false })
      expect(await storage.audit.list({}, { limit: 1 })).toMatchObject({ total: 1_001, total_exact: true })
    }))

  describe('a trim', () => {
    const entryOf = (trim: object) =>
      buildEntry({ at: NOW + 90 * HOUR, event: 'audit_trimmed', detail: JSON.stringify(trim) })

    test('happens once, however many servers try, and hides old entries before they are gone', () =>
      withStorages(2, async (storages) => {
        const [storage] = storages
        if (!storage) throw new Error('no storage')
        await storage.audit.append(randomEntries(400), hashOf)
        const all = await readAll(storage)
        const before = NOW + 30 * HOUR
        const trims = await Promise.all(storages.map((one) => one.audit.trim(before, entryOf, hashOf)))
        const done = trims.filter((trim) => trim !== undefined)
        expect(done).toHaveLength(1)
        const through = done[0]?.through_seq ?? 0
        // Nothing that is young enough is gone, and nearly everything that is not.
        expect(all.slice(0, through).every(({ at }) => at < before)).toBe(true)
        expect(all.filter(({ at }) => at < before).length - through).toBeLessThan(40)
        expect(done[0]).toEqual({ through_seq: through, through_hash: all[through]?.previous, count: through })
        const { items, total } = await storage.audit.list({}, { limit: 200 })
        expect([total, items[0]?.event]).toEqual([401 - through, 'audit_trimmed'])
        expect((await readAll(storage))[0]?.seq).toBe(through + 1)
        expect(await storage.audit.list({ to: NOW + HOUR }, { limit: 200 })).toMatchObject({ items: [], total: 0 })
        expect(await breaksOf(storage)).toEqual([])
        const activity = await storage.audit.activity(NOW - 10 * HOUR, before - 10 * HOUR)
        expect(activity).toEqual([])
      }))

    test('takes away its entries piece by piece, and no others', () =>
      withStorages(1, async ([storage]) => {
        if (!storage) throw new Error('no storage')
        await storage.audit.append(randomEntries(100), hashOf)
        const trim = await storage.audit.trim(NOW + 10 * HOUR, entryOf, hashOf)
        const count = trim?.count ?? 0
        expect(count).toBeGreaterThan(20)
        const visible = await readAll(storage)
        let taken = 0
        for (let piece = 10; piece === 10; taken += piece) piece = await storage.audit.removeTrimmed(10)
        expect(taken).toBe(count)
        expect(await storage.audit.read({}, { after: 0, through: 1_000, limit: 500 })).toEqual(visible)
      }))

    test('finds nothing to do where all is young, and takes everything where all is old', () =>
      withStorages(1, async ([storage]) => {
        if (!storage) throw new Error('no storage')
        expect(await storage.audit.trim(NOW, entryOf, hashOf)).toBeUndefined()
        await storage.audit.append([buildEntry(), buildEntry()], hashOf)
        expect(await storage.audit.trim(NOW, entryOf, hashOf)).toBeUndefined()
        const { hash } = await storage.audit.head()
        const trim = await storage.audit.trim(NOW + 48 * HOUR, entryOf, hashOf)
        expect(trim).toEqual({ through_seq: 2, through_hash: hash, count: 2 })
        expect((await readAll(storage)).map(({ event, previous }) => [event, previous])).toEqual([
          ['audit_trimmed', hash],
        ])
        expect(await storage.audit.trim(NOW + 48 * HOUR, entryOf, hashOf)).toBeUndefined()
      }))
  })
})
