import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewUser, Storage, UserQuery, UserRecord } from '../../server/storage/port.ts'
import { personOf, picker } from '../../bench/people.ts'
import { atOnce, buildUser, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const SORTS = ['username', '-username', 'created_at', '-created_at', 'last_sign_in_at', '-last_sign_in_at'] as const
const STATES = ['enabled', 'disabled', 'temporary_password', 'superuser'] as const
/** More than the embedded engine walks along, so that both ways of finding are met. */
const PEOPLE = 1_500

describe.each(ENGINES)('the list of users on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  let everybody: UserRecord[]
  let manager: number

  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
    manager = await storeUser(storage, { username: 'manager' })
    for (let from = 0; from < PEOPLE; from += 100) {
      await atOnce(100, (index) => storeUser(storage, person(from + index, manager)))
    }
    everybody = await readAll(storage, { sort: 'created_at', limit: 200 })
  }, 60_000)
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  const terms = [
    ...['x', 'zz', 'q9', 'an', 'anna', 'smith', 'xanthop', '.example', 'mail.example', 'no such thing'],
    ...[
      '1499',
      'a',
      'e',
      '@',
      'ж',
      'ан',
      'жанна',
      'жанна и',
      '张',
      '王',
      '李芳',
      'ŁU',
      'JÜRGEN',
      'jü',
      'social.',
      'n s',
    ],
  ]

  it.each(terms)('finds exactly those who have %j in a name or address, whatever the order', async (q) => {
    const expected = everybody.filter((user) => isFound(user, q))
    for (const sort of SORTS) await expectAll({ q, sort, limit: 200 }, expected)
  })

  it.each(STATES)('lists exactly those who are %s, alone and with a search and a manager', async (state) => {
    const expected = everybody.filter((user) => isIn(user, state))
    await expectAll({ state, sort: '-username', limit: 200 }, expected)
    await expectAll(
      { state, q: 'an', sort: 'created_at', limit: 7 },
      expected.filter((user) => isFound(user, 'an')),
    )
    await expectAll(
      { state, managed_by: manager, sort: 'username', limit: 50 },
      expected.filter(({ manager_id }) => manager_id === manager),
    )
  })

  it('knows at once who came, who changed and who went', async () => {
    const found = async (q: string) => (await storage.users.list({ q, sort: 'username', limit: 9 })).items
    expect(await found('newcomer')).toEqual([])
    const user_id = await storeUser(storage, { username: 'a.newcomer' })
    expect(await found('newcomer')).toMatchObject([{ user_id, username: 'a.newcomer' }])
    await storage.users.edit(user_id, { username: 'renamed.one', display_name: 'Пришелец' }, NOW)
    expect(await found('newcomer')).toEqual([])
    expect(await found('пришел')).toMatchObject([{ user_id, display_name: 'Пришелец' }])
    await storage.users.edit(user_id, { enabled: false }, NOW)
    const listed = await storage.users.list({ q: 'renamed', state: 'disabled', sort: 'username', limit: 9 })
    expect(listed).toMatchObject({ items: [{ user_id }], total: 1, total_exact: true })
    await storage.users.remove(user_id, NOW)
    expect(await found('пришел')).toEqual([])
  })

  it('counts everybody to the last one, while people come and go at once', async () => {
    const count = async () => (await storage.users.list({ sort: 'username', limit: 1 })).total
    const before = await count()
    const second = engine.shared ? await database.open() : storage
    const ids = await atOnce(60, (index) => storeUser(index % 2 ? storage : second, { username: `comes-${index}` }))
    expect(await count()).toBe(before + 60)
    await Promise.all([
      ...ids.slice(0, 45).map((user_id, index) => (index % 2 ? storage : second).users.remove(user_id, NOW)),
      ...ids.slice(0, 10).map((user_id) => second.users.remove(user_id, NOW)),
      ...Array.from({ length: 20 }, (_, index) => storeUser(second, { username: `later-${index}` })),
      // The losers of a race for a name are nobody.
      ...Array.from({ length: 10 }, () => storage.users.create(buildUser({ username: 'only-one' }))),
    ])
    expect(await count()).toBe(before + 60 - 45 + 20 + 1)
    if (second !== storage) await second.close()
    expect(await count()).toBe((await readAll(storage, { sort: 'username', limit: 200 })).length)
  })

  /** All pages of a query hold these users and no others, in its order. */
  async function expectAll(query: UserQuery, expected: readonly UserRecord[]): Promise<void> {
    const all = await readAll(storage, query)
    expect(all.map(({ user_id }) => user_id).sort(ascending)).toEqual(
      expected.map(({ user_id }) => user_id).sort(ascending),
    )
    const values = all.map((user) => valueOf(user, query.sort))
    const sorted = [...values].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0))
    expect(values).toEqual(query.sort.startsWith('-') ? sorted.reverse() : sorted)
  }
})

/** Every page of the list; all of them tell the same total. */
async function readAll(storage: Storage, query: UserQuery): Promise<UserRecord[]> {
  const all: UserRecord[] = []
  const totals = new Set<string>()
  for (;;) {
    const last = all.at(-1)
    const after = last && { value: valueOf(last, query.sort), user_id: last.user_id }
    const { items, total, total_exact } = await storage.users.list({ ...query, after })
    totals.add(total_exact ? `${total}` : 'more')
    all.push(...items)
    if (items.length < query.limit) break
  }
  expect([...totals]).toEqual([all.length <= 1_000 || !totals.has('more') ? `${all.length}` : 'more'])
  return all
}

function person(index: number, manager_id: number | null): Partial<NewUser> {
  const pick = picker(index)
  return {
    ...personOf(index),
    created_at: NOW + pick(500),
    superuser: pick(200) === 0,
    enabled: pick(20) > 0,
    require_password_change: pick(30) === 0,
    manager_id: pick(3) === 0 ? manager_id : null,
  }
}

function isFound({ username, display_name, email, handle }: UserRecord, q: string): boolean {
  return [username, display_name, email, handle].some((text) => text?.toLowerCase().includes(q.toLowerCase()))
}

function isIn(user: UserRecord, state: (typeof STATES)[number]): boolean {
  if (state === 'superuser') return user.superuser
  if (state === 'temporary_password') return user.require_password_change
  return user.enabled === (state === 'enabled')
}

function valueOf(user: UserRecord, sort: UserQuery['sort']): string | number {
  if (sort.endsWith('username')) return user.username
  return sort.endsWith('created_at') ? user.created_at : (user.last_sign_in_at ?? 0)
}

const ascending = (one: number, other: number): number => one - other
