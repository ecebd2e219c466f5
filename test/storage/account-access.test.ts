import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../../server/storage/port.ts'
import {
  atOnce,
  buildSession,
  buildUser,
  HOUR,
  NOW,
  redeem,
  signIn,
  storeLoginToken,
  storeSuperuser,
  storeUser,
} from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('what an administrator ends, on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  /** A second server on the same database, where the engine allows one. */
  let other: Storage
  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
    other = engine.shared ? await database.open() : storage
  })
  afterAll(async () => {
    if (other !== storage) await other.close()
    await storage.close()
    await database.drop()
  })

  const both = (index: number) => (index % 2 === 0 ? storage : other)
  const token = (login_user_id: number, name: string, user_id = login_user_id) => ({
    uuid: name,
    secret_hash: name,
    user_id,
    login_user_id,
    reason: null,
    redirect_to: null,
    created_at: NOW,
    expires_at: NOW + HOUR,
  })

  describe('removing a user', () => {
    it('takes sessions, recovery codes, trusted browsers and unused login tokens with it', async () => {
      const user_id = await storeUser(storage)
      const session = buildSession(user_id)
      await storage.sessions.create(session)
      await storage.recoveryCodes.replace(user_id, ['one'])
      const secret_hash = await storeLoginToken(storage, user_id)
      expect(await storage.users.remove(user_id, NOW)).toBe('done')
      expect(await storage.users.find(user_id)).toBeUndefined()
      expect(await storage.sessions.findBySecret(session.secret_hash)).toBeUndefined()
      expect(await storage.recoveryCodes.count(user_id)).toBe(0)
      expect(await storage.trustedDevices.list(user_id, NOW)).toEqual([])
      expect(await redeem(storage, secret_hash, user_id)).toBeUndefined()
      expect(await storage.users.remove(user_id, NOW)).toBe('absent')
    })

    it('leaves those he managed without a manager', async () => {
      const manager_id = await storeUser(storage)
      const user_id = await storeUser(storage, { manager_id })
      await storage.users.remove(manager_id, NOW)
      expect((await storage.users.find(user_id))?.manager_id).toBeNull()
    })

    it('keeps one superuser when all are removed, demoted and disabled at once, from two servers', async () => {
      const made = await storage.users.createFirst(buildUser({ superuser: true }))
      if (made === 'already') throw new Error('set up before')
      await signIn(storage, made.user_id)
      const all = [made.user_id, ...(await atOnce(6, () => storeSuperuser(storage)))]
      const outcomes = await atOnce(all.length * 3, (index) => {
        const user_id = all[index % all.length] ?? 0
        const { users } = both(index)
        if (index < all.length) return users.remove(user_id, NOW)
        return users.edit(user_id, index < all.length * 2 ? { superuser: false } : { enabled: false }, NOW)
      })
      expect(outcomes).toContain('LAST_SUPERUSER')
      expect(await storage.users.superusers(10)).toHaveLength(1)
    })

    it('loses to nothing half-way: a sign-in at the same moment has a session or none, never one without a user', async () => {
      const ids = await atOnce(10, () => storeUser(storage))
      await atOnce(20, async (index) => {
        const user_id = ids[index % 10] ?? 0
        if (index < 10) return both(index).users.remove(user_id, NOW)
        return both(index).sessions.create(buildSession(user_id), 'hash')
      })
      for (const user_id of ids) expect(await storage.sessions.listLive(user_id, NOW, 0)).toEqual([])
    })
  })

  describe('a reset', () => {
    const reset = { password_hash: 'new', require_password_change: true, password_expires: NOW + HOUR, at: NOW }

    it('keeps developer sessions unless told otherwise', async () => {
      const user_id = await storeUser(storage)
      const [browser, developer] = [buildSession(user_id), buildSession(user_id, { kind: 'developer' })]
      for (const session of [browser, developer]) await storage.sessions.create(session)
      const ended = async () =>
        Promise.all(
          [browser, developer].map(
            async ({ secret_hash }) => (await storage.sessions.findBySecret(secret_hash))?.session.revoked_at,
          ),
        )
      expect(await storage.users.setPassword(user_id, reset)).toBe(true)
      expect(await ended()).toEqual([NOW, null])
      expect(await storage.users.setPassword(user_id, { ...reset, revoke_developer_tokens: true })).toBe(true)
      expect(await ended()).toEqual([NOW, NOW])
    })

    it('of nobody changes nothing', async () => {
      expect(await storage.users.setPassword(999_999, reset)).toBe(false)
    })
  })

  describe('login tokens', () => {
    it('are at most so many for one person, however many are made at once on two servers', async () => {
      const manager_id = await storeUser(storage, { permissions: ['LOGIN_TOKENS'] })
      const user_id = await storeUser(storage, { manager_id })
      const made = await atOnce(30, (index) =>
        both(index).loginTokens.create(token(user_id, `t${index}`, manager_id), 10),
      )
      expect(made.filter(Boolean)).toHaveLength(10)
      const free = made.indexOf(true)
      expect(await redeem(storage, `t${free}`, user_id)).toBeDefined()
      expect(await storage.loginTokens.create(token(user_id, 'after use'), 10)).toBe(true)
      expect(await storage.loginTokens.create(token(user_id, 'too many'), 10)).toBe(false)
      const later = { created_at: NOW + HOUR, expires_at: NOW + 2 * HOUR }
      expect(await storage.loginTokens.create({ ...token(user_id, 'later'), ...later }, 10)).toBe(true)
    })

    it('are not made for nobody', async () => {
      expect(await storage.loginTokens.create(token(999_999, 'nobody'), 10)).toBe(false)
      expect(await redeem(storage, 'nobody', 999_999)).toBeUndefined()
    })
  })

  describe('settings', () => {
    it('change together and leave the others', async () => {
      await storage.settings.change({ one: 1, two: [2], three: 'drei' }, NOW)
      await storage.settings.change({ one: 'eins', two: null }, NOW)
      await storage.settings.change({}, NOW)
      expect(await other.settings.all()).toMatchObject({ one: 'eins', two: null, three: 'drei' })
    })
  })
})
