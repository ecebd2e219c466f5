import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AccessFilter, AccessRecord, StoredAccessKind } from '../../server/storage/port/access.ts'
import type { Storage } from '../../server/storage/port.ts'
import { atOnce, buildSession, HOUR, NOW, redeem, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const LIMITS = { now: NOW, idle_since: NOW - 24 * HOUR, begun_since: NOW - 720 * HOUR }
const ORDER: StoredAccessKind[] = ['trusted_device', 'temporary_password', 'session', 'login_token', 'developer_token']

describe.each(ENGINES)('the ways in, on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  let other: Storage
  /** In this order: a manager, two whom he manages (the second a superuser), a stranger, a disabled one whom he manages. */
  let people: number[] = []
  const named = new Set<string>()

  const id = () => randomBytes(8).toString('hex')
  const at = (index: number) => people[index] ?? 0

  async function storeSession(user_id: number, fields: Parameters<typeof buildSession>[1] = {}): Promise<string> {
    const session = buildSession(user_id, fields)
    await storage.sessions.create(session)
    return session.session_id
  }

  async function storeDevice(user_id: number, created_at: number, expires_at = NOW + HOUR): Promise<string> {
    const device = { device_id: id(), user_id, secret_hash: id(), created_at, last_used_at: created_at, expires_at }
    await storage.trustedDevices.create({ ...device, ip: '10.0.0.1', user_agent: 'test' })
    return device.device_id
  }

  async function storeToken(login_user_id: number, user_id: number, created_at: number, expires_at = NOW + HOUR) {
    const token = { uuid: id(), user_id, login_user_id, reason: 'why', redirect_to: null, created_at, expires_at }
    await storage.loginTokens.create({ ...token, secret_hash: token.uuid }, 1000)
    return token.uuid
  }

  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
    other = engine.shared ? await database.open() : storage
    const manager = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
    const temporary = { require_password_change: true, password_expires: NOW + HOUR, password_set_by: manager }
    people = [
      manager,
      await storeUser(storage, { manager_id: manager, ...temporary, created_at: NOW - 7 * HOUR }),
      await storeUser(storage, { manager_id: manager, superuser: true }),
      await storeUser(storage, { ...temporary, created_at: NOW - 7 * HOUR }),
      await storeUser(storage, { manager_id: manager, ...temporary }),
      await storeUser(storage, { ...temporary, password_expires: NOW - 1 }),
    ]
    for (const person of people.slice(0, 4)) {
      for (let made = 0; made < 6; made++) {
        // Many of the same moment, so that pages end in the middle of one.
        const created_at = NOW - (made % 3) * HOUR
        const login_token = await storeToken(person, manager, created_at)
        const begun = await storeSession(person, { created_at, ...(made === 0 ? { login_token } : {}) })
        const kept = [login_token, begun, await storeDevice(person, created_at)]
        const developer = await storeSession(person, { kind: 'developer', created_at: created_at - 2000 * HOUR })
        for (const one of [...kept, developer]) named.add(one)
      }
    }
    const [, managed = 0] = people
    await storeSession(managed, { expires_at: NOW })
    await storeSession(managed, { created_at: NOW - 25 * HOUR })
    await storeToken(managed, manager, NOW, NOW)
    await redeem(storage, await storeToken(managed, manager, NOW), managed, NOW - 25 * HOUR)
    await storeDevice(managed, NOW, NOW)
    await storage.sessions.revoke(await storeSession(managed), managed, NOW)
    await storeSession(at(4))
    await storage.users.edit(at(4), { enabled: false }, NOW)
  })
  afterAll(async () => {
    if (other !== storage) await other.close()
    await storage.close()
    await database.drop()
  })

  async function readAll(filter: AccessFilter, limit: number): Promise<AccessRecord[]> {
    const all: AccessRecord[] = []
    for (;;) {
      const last = all.at(-1)
      const page = await storage.access.list({ ...filter, limit, after: last }, LIMITS)
      all.push(...page)
      if (page.length < limit) return all
    }
  }

  it('are all that lets somebody in now, and nothing else', async () => {
    const all = await readAll({}, 200)
    const passwords = all.filter(({ kind }) => kind === 'temporary_password').map((one) => one.user.user_id)
    expect(passwords.toSorted()).toEqual([at(1), at(3)].toSorted())
    expect(new Set(all.filter(({ kind }) => kind !== 'temporary_password').map((one) => one.id))).toEqual(named)
    expect(await storage.access.count({}, LIMITS, 1001)).toEqual({
      session: 24,
      login_token: 24,
      trusted_device: 24,
      developer_token: 24,
      temporary_password: 2,
    })
  })

  it.each([1, 3, 7, 50])('come in pages of %i in one order, none twice and none left out', async (limit) => {
    const all = await readAll({}, 200)
    const inOrder = all.toSorted(
      (one, next) => next.created_at - one.created_at || ORDER.indexOf(one.kind) - ORDER.indexOf(next.kind),
    )
    expect(all.map(({ kind, created_at }) => [kind, created_at])).toEqual(
      inOrder.map((one) => [one.kind, one.created_at]),
    )
    expect(await readAll({}, limit)).toEqual(all)
  })

  it.each<[string, AccessFilter, (one: AccessRecord) => boolean]>([
    ['a kind', { kind: 'session' }, (one) => one.kind === 'session'],
    ['a manager', { managed_by: 0 }, (one) => one.user.user_id === at(1)],
    ['a person', { user_id: 1 }, (one) => one.user.user_id === at(1)],
    ['who made it', { made_by: 0 }, (one) => one.made_by?.user_id === at(0)],
    ['no use', { unused_since: NOW - HOUR }, (one) => (one.last_used_at ?? one.created_at) < NOW - HOUR],
    ['its making', { made_before: NOW - HOUR }, (one) => one.created_at < NOW - HOUR],
    [
      'all of it',
      { kind: 'login_token', user_id: 1, unused_since: NOW, managed_by: 0 },
      (one) => one.kind === 'login_token' && one.user.user_id === at(1) && one.created_at < NOW,
    ],
  ])('are found by %s', async (_name, filter, isMeant) => {
    const person = (index: number | undefined) => (index === undefined ? undefined : at(index))
    const wanted = {
      ...filter,
      user_id: person(filter.user_id),
      made_by: person(filter.made_by),
      managed_by: person(filter.managed_by),
    }
    const found = await readAll(wanted, 5)
    expect(found).toEqual((await readAll({}, 200)).filter(isMeant))
    expect(found.length).toBeGreaterThan(0)
    const counts = await storage.access.count(wanted, LIMITS, 1001)
    const counted =
      filter.kind === undefined || filter.kind === 'startup_token' ? Object.values(counts) : [counts[filter.kind]]
    expect(counted.reduce((sum, one) => sum + one, 0)).toBe(found.length)
  })

  it('say who made them and why, a session by the token that began it', async () => {
    const [password] = await storage.access.list({ kind: 'temporary_password', user_id: at(1), limit: 1 }, LIMITS)
    expect([password?.made_by?.user_id, password?.created_at]).toEqual([at(0), NOW - 7 * HOUR])
    const sessions = await storage.access.list({ kind: 'session', user_id: at(1), limit: 20 }, LIMITS)
    expect(sessions.filter((one) => one.reason === 'why' && one.made_by?.user_id === at(0))).toHaveLength(1)
    expect(sessions.filter((one) => one.made_by === null)).toHaveLength(5)
  })

  it('end once, however many end them at once, and each is answered to one only', async () => {
    const user_id = await storeUser(storage, { require_password_change: true })
    const mine = [
      { kind: 'session', id: await storeSession(user_id) },
      { kind: 'developer_token', id: await storeSession(user_id, { kind: 'developer' }) },
      { kind: 'login_token', id: await storeToken(user_id, user_id, NOW) },
      { kind: 'trusted_device', id: await storeDevice(user_id, NOW) },
      { kind: 'temporary_password', id: String(user_id) },
    ] as const
    const answers = await atOnce(8, (index) => (index % 2 ? other : storage).access.revoke(mine, {}, NOW))
    const ended = answers.flatMap((answer) => ('last_way_in' in answer ? expect.fail('refused') : answer))
    expect(ended.toSorted((one, next) => one.kind.localeCompare(next.kind))).toEqual(
      mine.map((one) => ({ ...one, user_id })).toSorted((one, next) => one.kind.localeCompare(next.kind)),
    )
    expect(await storage.access.list({ user_id, limit: 9 }, LIMITS)).toEqual([])
    expect((await storage.users.find(user_id))?.password_expires).toBe(NOW)
  })

  it('do not end under the name of another kind, beyond the reach of a manager, nor the session that asks', async () => {
    const session = await storeSession(at(3))
    const own = await storeSession(at(1))
    const outOfReach = [
      { kind: 'developer_token', id: session },
      { kind: 'session', id: session },
      { kind: 'temporary_password', id: String(at(3)) },
      { kind: 'temporary_password', id: "1' or 1=1" },
      { kind: 'session', id: own },
    ] as const
    expect(await storage.access.revoke(outOfReach, { managed_by: at(0), except_session: own }, NOW)).toEqual([])
    expect(await storage.access.revoke([{ kind: 'developer_token', id: session }], {}, NOW)).toEqual([])
    const reached = await storage.access.revoke([{ kind: 'session', id: own }], { managed_by: at(0) }, NOW)
    expect(reached).toEqual([{ kind: 'session', id: own, user_id: at(1) }])
  })
})
