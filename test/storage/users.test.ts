import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Storage, UserQuery } from '../../server/storage/port.ts'
import {
  atOnce,
  buildSession,
  buildUser,
  HOUR,
  NOW,
  redeem,
  storeLoginToken,
  storeSuperuser,
  storeUser,
} from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('users on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
  })
  afterAll(async () => {
    await storage.close()
    await database.drop()
  })

  it('gives back what was stored, to the letter', async () => {
    const fields = buildUser({
      email: 'zoë@example.org',
      display_name: 'Zoë 🔑 漢字 — "quoted"',
      superuser: false,
      permissions: ['USER_CONFIG', 'AUDIT_LOG'],
      lang: 'zh-CN',
      require_password_change: true,
      password_expires: 8_000_000_000_000,
      did: 'did:plc:abc',
      handle: 'zoe.test',
    })
    const user_id = await storeUser(storage, fields)
    expect(await storage.users.find(user_id)).toEqual({
      ...fields,
      user_id,
      totp_secret: null,
      totp_confirmed_at: null,
      last_sign_in_at: null,
    })
    expect(await storage.users.findByName(fields.username)).toMatchObject({ user_id })
    expect(await storage.users.find(999_999)).toBeUndefined()
  })

  it('lets one of many creations of the same name win, and of the same mail address', async () => {
    const names = await atOnce(20, () => storage.users.create(buildUser({ username: 'same-name' })))
    expect(names.filter((made) => made === 'USERNAME_TAKEN')).toHaveLength(19)
    const mails = await atOnce(20, () => storage.users.create(buildUser({ email: 'same@example.org' })))
    expect(mails.filter((made) => made === 'EMAIL_TAKEN')).toHaveLength(19)
  })

  it('makes one first superuser of fifty simultaneous tries, for ever', async () => {
    const made = await atOnce(50, () => storage.users.createFirst(buildUser({ superuser: true })))
    expect(made.filter((one) => one !== 'already')).toHaveLength(1)
    expect(await storage.users.isSetUp()).toBe(true)
    expect(await storage.users.superusers(5)).toHaveLength(1)
    expect(await storage.users.createFirst(buildUser({ superuser: true }))).toBe('already')
  })

  it('keeps one superuser enabled when all are demoted or disabled at once', async () => {
    const [first] = await storage.users.superusers(1)
    const others = await atOnce(6, () => storeSuperuser(storage))
    const all = [first?.user_id ?? 0, ...others]
    const results = await Promise.all(
      all.map((user_id, index) =>
        storage.users.edit(user_id, index % 2 ? { superuser: false } : { enabled: false }, NOW),
      ),
    )
    expect(results.filter((result) => result === 'LAST_SUPERUSER')).toHaveLength(1)
    expect(await storage.users.superusers(9)).toHaveLength(1)
  })

  it('refuses an edit that takes a name or mail address in use, and changes nothing', async () => {
    const taken = await storeUser(storage, { username: 'taken', email: 'taken@example.org' })
    const user_id = await storeUser(storage, { display_name: 'before' })
    expect(await storage.users.edit(user_id, { username: 'taken', display_name: 'after' }, NOW)).toBe('USERNAME_TAKEN')
    expect(await storage.users.edit(user_id, { email: 'taken@example.org', display_name: 'after' }, NOW)).toBe(
      'EMAIL_TAKEN',
    )
    expect(await storage.users.find(user_id)).toMatchObject({ display_name: 'before' })
    expect(await storage.users.edit(taken, { username: 'taken', email: null }, NOW)).toBe('done')
    expect(await storage.users.edit(987_654, { lang: 'de' }, NOW)).toBe('absent')
  })

  it('lets one of many simultaneous renames to the same name win', async () => {
    const ids = await atOnce(8, () => storeUser(storage))
    const results = await Promise.all(ids.map((user_id) => storage.users.edit(user_id, { username: 'wanted' }, NOW)))
    expect(results.filter((result) => result === 'done')).toHaveLength(1)
    expect(results.filter((result) => result === 'USERNAME_TAKEN')).toHaveLength(7)
  })

  it('ends everything that could let a disabled user in', async () => {
    const user_id = await storeUser(storage)
    const browser = buildSession(user_id)
    const developer = buildSession(user_id, { kind: 'developer' })
    await storage.sessions.create(browser)
    await storage.sessions.create(developer)
    const token = await storeLoginToken(storage, user_id)
    expect(await storage.users.edit(user_id, { enabled: false }, NOW + 1)).toBe('done')
    for (const { secret_hash } of [browser, developer]) {
      expect((await storage.sessions.findBySecret(secret_hash))?.session.revoked_at).toBe(NOW + 1)
    }
    expect(await redeem(storage, token, user_id, NOW + 2)).toBeUndefined()
    expect(await storage.sessions.create(buildSession(user_id))).toBe(false)
  })

  describe('passwords', () => {
    let user_id: number
    beforeEach(async () => {
      user_id = await storeUser(storage, {
        require_password_change: true,
        password_expires: NOW + HOUR,
        password_hash: 'old',
      })
    })

    const next = { password_hash: 'new', require_password_change: false, password_expires: null, at: NOW + 5 }

    it('clears the gate, ends the sessions but not the developer tokens, voids login tokens, keeps the replacement', async () => {
      const old = buildSession(user_id)
      const developer = buildSession(user_id, { kind: 'developer' })
      const replacement = buildSession(user_id)
      await storage.sessions.create(old)
      await storage.sessions.create(developer)
      const token = await storeLoginToken(storage, user_id)
      expect(await storage.users.setPassword(user_id, { ...next, replacement })).toBe(true)
      expect(await storage.users.find(user_id)).toMatchObject({
        password_hash: 'new',
        require_password_change: false,
        password_expires: null,
      })
      expect((await storage.sessions.findBySecret(old.secret_hash))?.session.revoked_at).toBe(NOW + 5)
      expect((await storage.sessions.findBySecret(developer.secret_hash))?.session.revoked_at).toBeNull()
      expect((await storage.sessions.findBySecret(replacement.secret_hash))?.session.revoked_at).toBeNull()
      expect(await redeem(storage, token, user_id, NOW + 6)).toBeUndefined()
    })

    it('lets one of many simultaneous changes from the same old password win', async () => {
      const results = await atOnce(10, (index) =>
        storage.users.setPassword(user_id, { ...next, password_hash: `new-${index}`, instead_of: 'old' }),
      )
      expect(results.filter(Boolean)).toHaveLength(1)
    })

    it('begins no session for a password that was changed after it was proved', async () => {
      await storage.users.setPassword(user_id, next)
      expect(await storage.sessions.create(buildSession(user_id), 'old')).toBe(false)
      expect(await storage.sessions.create(buildSession(user_id), 'new')).toBe(true)
    })

    it('upgrades a hash only while the one it was made from stands', async () => {
      await storage.users.upgradeHash(user_id, 'another', 'wrong')
      expect(await storage.users.find(user_id)).toMatchObject({ password_hash: 'old' })
      await storage.users.upgradeHash(user_id, 'old', 'stronger')
      expect(await storage.users.find(user_id)).toMatchObject({ password_hash: 'stronger' })
    })
  })

  describe('lists', () => {
    const query: UserQuery = { sort: 'username', limit: 3 }

    it('finds any part of a name, mail address or handle, in any case and alphabet, with wildcards taken literally', async () => {
      const user_id = await storeUser(storage, {
        username: 'needle',
        display_name: 'ÄRGER 100%_x',
        handle: 'Some.Handle',
      })
      for (const q of ['eedl', 'NEEDLE', 'ärger', '100%_', 'some.handle']) {
        expect((await storage.users.list({ ...query, q })).items.map((user) => user.user_id)).toEqual([user_id])
      }
      expect((await storage.users.list({ ...query, q: '100%%x' })).total).toBe(0)
      expect((await storage.users.list({ ...query, q: '!' })).total).toBe(0)
    })

    it('pages through everybody once, in every order, though people are added meanwhile', async () => {
      const manager = await storeUser(storage)
      const ids: number[] = []
      for (let index = 0; index < 8; index += 1) {
        ids.push(
          await storeUser(storage, { manager_id: manager, created_at: NOW + (index % 3), username: `page-${index}` }),
        )
      }
      for (const sort of [
        'username',
        '-username',
        'created_at',
        '-created_at',
        'last_sign_in_at',
        '-last_sign_in_at',
      ] as const) {
        const seen: number[] = []
        let after: UserQuery['after']
        for (;;) {
          const { items, total } = await storage.users.list({ ...query, sort, managed_by: manager, after })
          seen.push(...items.map((user) => user.user_id))
          expect(total).toBe(8)
          const last = items.at(-1)
          if (items.length < query.limit || !last) break
          const value = sort.endsWith('username')
            ? last.username
            : sort.endsWith('created_at')
              ? last.created_at
              : (last.last_sign_in_at ?? 0)
          after = { value, user_id: last.user_id }
        }
        expect([...seen].sort((a, b) => a - b)).toEqual(ids)
      }
    })

    it('filters by state', async () => {
      const manager_id = await storeUser(storage)
      const managed = { manager_id }
      const gated = await storeUser(storage, { ...managed, require_password_change: true })
      const disabled = await storeUser(storage, { ...managed, enabled: false })
      const idsOf = async (state: UserQuery['state']) =>
        (await storage.users.list({ ...query, state, managed_by: manager_id })).items.map((user) => user.user_id)
      expect(await idsOf('temporary_password')).toEqual([gated])
      expect(await idsOf('disabled')).toEqual([disabled])
      expect(await idsOf('enabled')).toEqual([gated])
      expect(await idsOf('superuser')).toEqual([])
    })
  })
})
