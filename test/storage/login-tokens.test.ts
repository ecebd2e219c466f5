import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LOGIN_TOKEN_STATES, type LoginTokenState } from '../../api/login-tokens.ts'
import type { LoginTokenQuery, LoginTokenRecord, NewLoginToken, Storage, UserEdit } from '../../server/storage/port.ts'
import { atOnce, buildSession, HOUR, NOW, redeem, storeSuperuser, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('login tokens on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  /** A second server on the same database, where the engine allows one. */
  let other: Storage
  let maker: number
  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
    other = engine.shared ? await database.open() : storage
    maker = await storeUser(storage, { superuser: true })
    // The last superuser cannot be disabled: here is another.
    await storeUser(storage, { superuser: true })
  })
  afterAll(async () => {
    if (other !== storage) await other.close()
    await storage.close()
    await database.drop()
  })

  const either = (index: number) => (index % 2 === 0 ? storage : other)
  let made = 0
  const uuidOf = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, '0')}`
  async function make(login_user_id: number, fields: Partial<NewLoginToken> = {}) {
    const secret_hash = randomBytes(32).toString('hex')
    const times = { created_at: NOW, expires_at: NOW + HOUR }
    const who = { user_id: maker, login_user_id, reason: null, redirect_to: null }
    const token = { uuid: uuidOf((made += 1)), secret_hash, ...who, ...times, ...fields }
    expect(await storage.loginTokens.create(token, 1e6)).toBe(true)
    return token
  }

  it('are used, begin their session and note the sign-in in one step', async () => {
    const person = await storeUser(storage)
    const { secret_hash, ...token } = await make(person, { reason: 'why', redirect_to: '/x' })
    const session = buildSession(person, { created_at: NOW + 5, ip: '10.0.0.9', auth_source: 'login_token' })
    const used = { ...token, used_at: NOW + 5, used_ip: '10.0.0.9', deleted_at: NOW + 5 }
    expect(await storage.loginTokens.consume(secret_hash, session)).toEqual(used)
    expect((await other.loginTokens.find(token.uuid))?.token).toEqual(used)
    expect((await other.sessions.findBySecret(session.secret_hash))?.user.last_sign_in_at).toBe(NOW + 5)
  })

  it('leave no trace of a try that is refused', async () => {
    const person = await storeUser(storage)
    const stranger = await storeUser(storage)
    const { secret_hash, uuid } = await make(person)
    expect(await redeem(storage, secret_hash, stranger)).toBeUndefined()
    expect(await redeem(storage, secret_hash, person, NOW + HOUR)).toBeUndefined()
    expect(await redeem(storage, 'f'.repeat(64), person)).toBeUndefined()
    expect((await storage.loginTokens.find(uuid))?.token.deleted_at).toBeNull()
    for (const user_id of [person, stranger]) {
      expect(await storage.sessions.listLive(user_id, NOW, 0)).toEqual([])
      expect((await storage.users.find(user_id))?.last_sign_in_at).toBeNull()
    }
    expect(await redeem(storage, secret_hash, person)).toBeDefined()
  })

  it('are shown exactly while they can be redeemed, and not used up by that', async () => {
    const person = await storeUser(storage)
    const ordinary = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
    const superuser = await storeUser(storage, { superuser: true })
    const disabled = await storeUser(storage, { enabled: false })
    const sound = await make(person)
    expect(await storage.loginTokens.show(sound.secret_hash, NOW)).toMatchObject({
      token: { uuid: sound.uuid },
      login_user: { user_id: person },
    })
    const unsound = [
      await make(person, { expires_at: NOW }),
      await make(disabled),
      await make(person, { user_id: disabled }),
      await make(person, { user_id: 2_000_000 }),
      await make(superuser, { user_id: ordinary }),
      await make(person, { user_id: person }),
    ]
    const revoked = await make(person)
    expect(await storage.loginTokens.revoke(revoked.uuid, NOW)).toBe(true)
    for (const { secret_hash, login_user_id } of [...unsound, revoked]) {
      expect(await storage.loginTokens.show(secret_hash, NOW)).toBeUndefined()
      expect(await redeem(storage, secret_hash, login_user_id)).toBeUndefined()
    }
    expect(await storage.loginTokens.show('f'.repeat(64), NOW)).toBeUndefined()
    for (let times = 0; times < 10; times++) await storage.loginTokens.show(sound.secret_hash, NOW)
    expect(await redeem(other, sound.secret_hash, person)).toBeDefined()
    expect(await storage.loginTokens.show(sound.secret_hash, NOW)).toBeUndefined()
  })

  describe.each([
    ['shown and redeemed while their maker is still entitled', {}, {}, true],
    ['over when he loses the permission', { permissions: ['USER_CONFIG', 'AUDIT_LOG'] }, {}, false],
    ['over when he no longer manages the person', {}, { manager_id: null }, false],
    ['over when the person has become a superuser', {}, { superuser: true }, false],
    ['good for everybody once he is a superuser', { superuser: true, permissions: [] }, { superuser: true }, true],
  ] satisfies [string, UserEdit, UserEdit, boolean][])('are %s', (_, ofMaker, ofPerson, sound) => {
    it('alike where they are shown and where they are redeemed', async () => {
      const manager_id = await storeUser(storage, { permissions: ['USER_CONFIG', 'LOGIN_TOKENS'] })
      const person = await storeUser(storage, { manager_id })
      const { secret_hash } = await make(person, { user_id: manager_id })
      expect(await storage.loginTokens.show(secret_hash, NOW)).toBeDefined()
      await other.users.edit(manager_id, ofMaker, NOW)
      await other.users.edit(person, ofPerson, NOW)
      expect((await storage.loginTokens.show(secret_hash, NOW)) !== undefined).toBe(sound)
      expect((await redeem(storage, secret_hash, person)) !== undefined).toBe(sound)
    })
  })

  it('are void when a superuser who made them is one no longer', async () => {
    const former = await storeUser(storage, { superuser: true })
    const person = await storeUser(storage)
    const { secret_hash } = await make(person, { user_id: former })
    expect(await storage.loginTokens.show(secret_hash, NOW)).toBeDefined()
    await storeSuperuser(storage)
    expect(await storage.users.edit(former, { superuser: false }, NOW)).toBe('done')
    expect(await storage.loginTokens.show(secret_hash, NOW)).toBeUndefined()
    expect(await redeem(storage, secret_hash, person)).toBeUndefined()
  })

  it('are revoked or used, by one of many at once', async () => {
    const person = await storeUser(storage)
    const { uuid, secret_hash } = await make(person)
    const won = await atOnce(40, async (index) =>
      index % 3 === 0
        ? (await redeem(either(index), secret_hash, person)) !== undefined
        : either(index).loginTokens.revoke(uuid, NOW),
    )
    expect(won.filter(Boolean)).toHaveLength(1)
  })

  it('sign nobody in behind the back of a disabling: no session lives that began beside it', async () => {
    for (let round = 0; round < 15; round++) {
      const person = await storeUser(storage)
      const { secret_hash } = await make(person)
      const ends = [
        () => other.users.edit(person, { enabled: false }, NOW),
        () => other.sessions.revokeEverything(person, NOW),
        () => other.users.remove(person, NOW),
      ]
      const [begun] = await Promise.all([redeem(storage, secret_hash, person), ends[round % 3]?.()])
      expect(await storage.sessions.listLive(person, NOW, 0)).toEqual([])
      expect(await redeem(storage, secret_hash, person)).toBeUndefined()
      expect(begun === undefined || begun.login_user_id === person).toBe(true)
    }
  })

  it('end with their maker, disabled or deleted, for good; used ones stay as they are', async () => {
    for (const end of ['disable', 'remove'] as const) {
      const gone = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
      const person = await storeUser(storage, { manager_id: gone })
      const [open, used] = [await make(person, { user_id: gone }), await make(person, { user_id: gone })]
      const kept = await make(person)
      expect(await redeem(storage, used.secret_hash, person)).toBeDefined()
      if (end === 'disable') {
        await storage.users.edit(gone, { enabled: false }, NOW + 1)
        await storage.users.edit(gone, { enabled: true }, NOW + 2)
      } else await storage.users.remove(gone, NOW + 1)
      expect(await redeem(storage, open.secret_hash, person)).toBeUndefined()
      expect((await storage.loginTokens.find(open.uuid))?.token.deleted_at).toBe(NOW + 1)
      expect((await storage.loginTokens.find(used.uuid))?.token.deleted_at).toBe(NOW)
      expect(await redeem(storage, kept.secret_hash, person)).toBeDefined()
    }
  })

  it('are found by the mail address of their person', async () => {
    const person = await storeUser(storage, { email: 'bert@example.org' })
    expect((await storage.users.findByEmail('bert@example.org'))?.user_id).toBe(person)
    expect(await storage.users.findByEmail('nobody@example.org')).toBeUndefined()
  })

  describe('a list of them', () => {
    let manager: number
    const all: LoginTokenRecord[] = []
    const people: number[] = []
    beforeAll(async () => {
      manager = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
      people.push(
        await storeUser(storage, { manager_id: manager, display_name: 'Managed' }),
        await storeUser(storage, { manager_id: manager, superuser: true }),
        await storeUser(storage),
        await storeUser(storage),
      )
      for (let round = 0; round < 40; round++) {
        const person = people[round % 4] ?? 0
        const user_id = round % 3 === 0 ? manager : maker
        const over = round % 5 === 1 ? { expires_at: NOW } : {}
        const { uuid, secret_hash } = await make(person, { user_id, ...over })
        if (round % 5 === 2) await redeem(storage, secret_hash, person)
        if (round % 5 === 3) await storage.loginTokens.revoke(uuid, NOW)
        const found = await storage.loginTokens.find(uuid)
        if (found) all.unshift(found.token)
      }
      await storage.users.remove(people[3] ?? 0, NOW + 1)
      for (const token of all)
        if (token.login_user_id === people[3] && token.used_at === null) token.deleted_at ??= NOW + 1
    })

    const stateOf = (token: LoginTokenRecord): LoginTokenState => {
      if (token.used_at !== null) return 'used'
      if (token.deleted_at !== null) return 'revoked'
      return token.expires_at > NOW ? 'active' : 'expired'
    }

    const optional = <T>(values: readonly T[]) => [undefined, ...values]
    const filters = optional(LOGIN_TOKEN_STATES).flatMap((status) =>
      optional(['managed']).flatMap((reach) =>
        [0, 1, 2, 3].flatMap((person) =>
          optional(['maker', 'manager'] as const).map((by) => [status, reach, person, by] as const),
        ),
      ),
    )
    it.each(filters)('of %s, %s, of person %i, by %s, is what a plain look at all of them says', async (...filter) => {
      const [status, reach, person, by] = filter
      const managed_by = reach && manager
      const login_user_id = people[person]
      const user_id = by && { maker, manager }[by]
      const expected = all.filter(
        (token) =>
          (status === undefined || stateOf(token) === status) &&
          (managed_by === undefined || token.login_user_id === people[0]) &&
          token.login_user_id === login_user_id &&
          (user_id === undefined || token.user_id === user_id),
      )
      expect(await pages({ status, managed_by: managed_by || undefined, login_user_id, user_id, now: NOW })).toEqual(
        expected,
      )
    })

    async function pages(query: Omit<LoginTokenQuery, 'limit'>): Promise<LoginTokenRecord[]> {
      const found: LoginTokenRecord[] = []
      for (let after: string | undefined; ; after = found.at(-1)?.uuid) {
        const { items, total, total_exact } = await other.loginTokens.list({ ...query, after, limit: 4 })
        found.push(...items.map(({ token }) => token))
        if (items.length === 4) continue
        expect([total, total_exact]).toEqual([found.length, true])
        return found
      }
    }

    it('names both people, nobody who is gone, and no secret', async () => {
      const { items } = await storage.loginTokens.list({ now: NOW, limit: 200 })
      const of = (person: number | undefined) => items.find(({ token }) => token.login_user_id === person)
      expect(of(people[0])?.login_user).toMatchObject({ user_id: people[0], display_name: 'Managed' })
      expect(of(people[0])?.user?.user_id).toBeDefined()
      expect(of(people[3])?.login_user).toBeNull()
      expect(JSON.stringify(items)).not.toMatch(/secret|[0-9a-f]{64}/)
    })
  })

  it('leave factors to their session that were proved at once', async () => {
    const person = await storeUser(storage)
    const session = buildSession(person, { amr: ['link'] })
    await storage.sessions.create(session)
    await Promise.all([
      storage.sessions.rotate(session.session_id, 'one', NOW, 'pwd'),
      other.sessions.rotate(session.session_id, 'two', NOW, 'otp'),
      other.sessions.addFactor(session.session_id, 'recovery'),
      storage.sessions.rotate(session.session_id, 'three', NOW),
    ])
    const [left] = await storage.sessions.listLive(person, NOW, 0)
    expect(left?.amr[0]).toBe('link')
    expect([...(left?.amr ?? [])].sort()).toEqual(['link', 'otp', 'pwd', 'recovery'])
  })
})
