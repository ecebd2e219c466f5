import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Factor } from '../../api/schemas.ts'
import type { LastWayIn } from '../../server/storage/port/ways-in.ts'
import type { Storage } from '../../server/storage/port.ts'
import { storeExchange } from './atproto-builders.ts'
import { atOnce, buildSession, buildUser, HOUR, NOW, signIn, storeSuperuser, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const DID = 'did:web:ann.test'
const next = { password_hash: 'next', require_password_change: true, password_expires: null, at: NOW }
const off = { atproto_enabled: false }

describe.each(ENGINES)('proven ways in, on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  /** A second server on the same database, where the engine allows one. */
  let other: Storage
  let ann: number

  beforeEach(async () => {
    database = await engine.create()
    storage = await database.open()
    other = engine.shared ? await database.open() : storage
    const made = await storage.users.createFirst(buildUser({ username: 'ann', superuser: true }))
    if (made === 'already') throw new Error('Somebody was first')
    ann = made.user_id
  })
  afterEach(async () => {
    if (other !== storage) await other.close()
    await storage.close()
    await database.drop()
  })

  const either = (index: number) => (index % 2 === 0 ? storage : other)
  const waysOf = async (user_id: number, at = NOW) =>
    (await other.users.waysIn(at, 20)).find((one) => one.user_id === user_id)?.ways
  const proven = async () => (await other.users.waysIn(NOW, 20)).flatMap(({ ways }) => ways)
  const left = (...ways: LastWayIn['last_way_in']): LastWayIn => ({ last_way_in: ways })
  const password = { user_id: 1, username: 'ann', way: 'password' } as const

  /** Signs in, or links, by an ATProto account. */
  async function comeBy(user_id: number, kind: 'sign_in' | 'link_account', did = DID): Promise<void> {
    const bearer = buildSession(user_id)
    await storage.sessions.create(bearer)
    const exchange = await storeExchange(storage, { user_id, did }, { kind, session_id: bearer.session_id })
    const { token_hash, nonce_hash } = exchange
    const session = buildSession(user_id, { auth_source: 'atproto', amr: ['atproto'] })
    const came =
      kind === 'sign_in'
        ? await storage.atproto.consumeExchange(token_hash, nonce_hash, { session }, NOW)
        : await storage.atproto.consumeLink(token_hash, nonce_hash, 'ann.test', NOW)
    expect(came).toBe(kind === 'sign_in' ? true : 'done')
  }

  describe('are', () => {
    it('passwords that somebody chose himself or signed in with, until somebody else sets another', async () => {
      expect(await waysOf(ann)).toEqual(['password'])
      const bob = await storeUser(storage, { superuser: true, require_password_change: true })
      expect(await waysOf(bob)).toEqual([])
      await signIn(storage, bob)
      expect(await waysOf(bob)).toEqual(['password'])
      await storage.users.upgradeHash(bob, 'hash', 'stronger')
      expect(await waysOf(bob)).toEqual(['password'])
      expect(await storage.users.setPassword(bob, { ...next, by: ann })).toBe(true)
      expect(await waysOf(bob)).toEqual([])
      expect(await storage.users.setPassword(bob, { ...next, require_password_change: false })).toBe(true)
      expect(await waysOf(bob)).toEqual(['password'])
      expect(await storage.users.setPassword(bob, { ...next, by: 'machine' })).toBe(true)
      expect(await waysOf(bob)).toEqual([])
    })

    it('not those by which somebody was let in: login tokens, the startup token', async () => {
      const bob = await storeUser(storage, { superuser: true })
      for (const auth_source of ['startup_token', 'login_token'] as const)
        expect(await storage.sessions.create(buildSession(bob, { auth_source }))).toBe(true)
      expect(await waysOf(bob)).toEqual([])
    })

    it('a temporary password until it ends', async () => {
      const bob = await storeSuperuser(storage, { require_password_change: true, password_expires: NOW + HOUR })
      expect(await waysOf(bob, NOW + HOUR - 1)).toEqual(['password'])
      expect(await waysOf(bob, NOW + HOUR)).toEqual([])
    })

    it.each(['sign_in', 'link_account'] as const)('an ATProto account since its %s, until it changes', async (kind) => {
      const bob = await storeUser(storage, {
        superuser: true,
        password_hash: null,
        ...(kind === 'sign_in' && { did: DID }),
      })
      expect(await waysOf(bob)).toEqual([])
      await comeBy(bob, kind)
      expect(await waysOf(bob)).toEqual(['atproto'])
      expect(await storage.users.edit(bob, { did: 'did:web:another.test' }, NOW)).toBe('done')
      expect(await waysOf(bob)).toEqual([])
      await comeBy(bob, 'sign_in', 'did:web:another.test')
      expect(await storage.users.unlinkDid(bob, NOW, 'none')).toBe(true)
      expect(await storage.users.edit(bob, { did: DID }, NOW)).toBe('done')
      expect(await waysOf(bob)).toEqual([])
    })

    it('an ATProto account behind a second factor once that is proved in its session', async () => {
      const bob = await storeUser(storage, { superuser: true, password_hash: null, did: DID })
      await storage.users.beginTotp(bob, 'sealed')
      await storage.users.confirmTotp(bob, ['code'], 1, NOW)
      const begin = async (amr: Factor[]) => {
        const { token_hash, nonce_hash } = await storeExchange(storage, { user_id: bob, did: DID })
        const session = buildSession(bob, { auth_source: 'atproto', amr })
        expect(await storage.atproto.consumeExchange(token_hash, nonce_hash, { session }, NOW)).toBe(true)
        return session.session_id
      }
      const session_id = await begin(['atproto'])
      expect(await storage.sessions.rotate(session_id, 'another', NOW, 'pwd')).toBe(true)
      expect(await waysOf(bob)).toEqual([])
      // Of a session that the password began it says nothing.
      const local = buildSession(bob)
      await storage.sessions.create(local)
      await storage.sessions.rotate(local.session_id, 'third', NOW, 'otp')
      expect(await waysOf(bob)).toEqual([])
      expect(await storage.sessions.rotate(session_id, 'fourth', NOW, 'otp')).toBe(true)
      expect(await waysOf(bob)).toEqual(['atproto'])
      await storage.users.edit(bob, { did: 'did:web:gone.test' }, NOW)
      await storage.users.edit(bob, { did: DID }, NOW)
      expect(await waysOf(bob)).toEqual([])
      await begin(['atproto', 'device'])
      expect(await waysOf(bob)).toEqual(['atproto'])
    })

    it('no ATProto account while that is switched off', async () => {
      await comeBy(ann, 'link_account')
      expect(await waysOf(ann)).toEqual(['password', 'atproto'])
      expect(await storage.settings.change(off, NOW)).toBe('done')
      expect(await waysOf(ann)).toEqual(['password'])
      expect(await storage.settings.change({ atproto_enabled: true }, NOW)).toBe('done')
      expect(await waysOf(ann)).toEqual(['password', 'atproto'])
    })

    it('those of enabled superusers only', async () => {
      const bob = await storeSuperuser(storage)
      await storage.users.edit(bob, { enabled: false }, NOW)
      await signIn(storage, await storeUser(storage))
      expect(await storage.users.waysIn(NOW, 20)).toEqual([{ user_id: ann, username: 'ann', ways: ['password'] }])
    })
  })

  describe('the last of them', () => {
    beforeEach(async () => {
      expect(ann).toBe(1)
      // Another superuser is there, but nobody knows whether he can come in.
      await storeUser(storage, { username: 'unproven', superuser: true, did: 'did:web:unproven.test' })
    })

    it.each<[string, () => Promise<unknown>]>([
      ['disabled', () => storage.users.edit(ann, { enabled: false }, NOW)],
      ['demoted', () => storage.users.edit(ann, { superuser: false }, NOW)],
      ['deleted', () => storage.users.remove(ann, NOW)],
      ['given another password', () => storage.users.setPassword(ann, { ...next, by: 2 })],
    ])('is not %s away', async (_how, change) => {
      const before = await storage.users.find(ann)
      expect(await change()).toEqual(left(password))
      expect(await storage.users.find(ann)).toEqual(before)
      await signIn(storage, 2)
      expect(await change()).not.toEqual(left(password))
      expect(await proven()).toEqual(['password'])
    })

    it('is not ended on the access board, nor anything that was named with it', async () => {
      const bob = await storeSuperuser(storage, { username: 'bob', require_password_change: true })
      expect(await storage.users.remove(ann, NOW)).toBe('done')
      const session = buildSession(bob)
      await storage.sessions.create(session)
      const named = [
        { kind: 'session', id: session.session_id },
        { kind: 'temporary_password', id: String(bob) },
      ] as const
      const refused = left({ user_id: bob, username: 'bob', way: 'password' })
      expect(await storage.access.revoke(named, {}, NOW)).toEqual(refused)
      expect((await storage.sessions.findBySecret(session.secret_hash))?.session.revoked_at).toBeNull()
      // He is in no manager's reach, who learns nothing of him.
      expect(await storage.access.revoke([named[1]], { managed_by: 2 }, NOW)).toEqual([])
      await signIn(storage, 2)
      expect(await storage.access.revoke(named, {}, NOW)).toHaveLength(2)
    })

    it('is not ended in another spelling of its number', async () => {
      const bob = await storeSuperuser(storage, { username: 'bob', require_password_change: true })
      expect(await storage.users.remove(ann, NOW)).toBe('done')
      for (const id of [`0${bob}`, `000${bob}`, `+${bob}`, ` ${bob}`, `${bob} `, `${bob}.0`, `${bob}e0`, `0x${bob}`])
        expect(await storage.access.revoke([{ kind: 'temporary_password', id }], {}, NOW)).toEqual([])
      expect(await proven()).toEqual(['password'])
      // With the right spelling beside it neither.
      const both = [`0${bob}`, String(bob)].map((id) => ({ kind: 'temporary_password', id }) as const)
      expect(await storage.access.revoke(both, {}, NOW)).toMatchObject({ last_way_in: [{ user_id: bob }] })
      expect(await proven()).toEqual(['password'])
    })

    it('is not taken because a temporary password is there that ends by itself', async () => {
      const bob = await storeSuperuser(storage, { require_password_change: true, password_expires: NOW + HOUR })
      expect(await waysOf(bob)).toEqual(['password'])
      expect(await storage.users.edit(ann, { superuser: false }, NOW)).toEqual(left(password))
      expect(await storage.users.remove(ann, NOW)).toEqual(left(password))
      expect(await storage.users.setPassword(ann, { ...next, by: bob })).toEqual(left(password))
      expect(await waysOf(ann, NOW + HOUR)).toEqual(['password'])
      expect(await storage.users.setPassword(bob, { ...next, require_password_change: false })).toBe(true)
      expect(await storage.users.remove(ann, NOW)).toBe('done')
    })

    it('is one that ends by itself, as long as it is the last', async () => {
      const bob = await storeSuperuser(storage, {
        username: 'bob',
        require_password_change: true,
        password_expires: NOW + HOUR,
      })
      await storage.users.setPassword(ann, { ...next, by: 'machine' })
      const his = left({ user_id: bob, username: 'bob', way: 'password' })
      expect(await storage.users.remove(bob, NOW)).toEqual(his)
      const named = [{ kind: 'temporary_password', id: String(bob) }] as const
      expect(await storage.access.revoke(named, {}, NOW)).toEqual(his)
    })

    it('is not moved, unlinked or switched off where it is an ATProto account', async () => {
      await comeBy(ann, 'link_account')
      expect(await storage.users.setPassword(ann, { ...next, by: 2 })).toBe(true)
      const account = left({ user_id: ann, username: 'ann', way: 'atproto' })
      expect(await storage.users.edit(ann, { did: null }, NOW)).toEqual(account)
      expect(await storage.users.edit(ann, { did: 'did:web:another.test' }, NOW)).toEqual(account)
      expect(await storage.users.unlinkDid(ann, NOW, 'none')).toEqual(account)
      expect(await storage.settings.change({ ...off, min_password_length: 12 }, NOW)).toEqual(account)
      expect(await storage.settings.all()).toEqual({})
      await signIn(storage, ann, 'next')
      expect(await storage.settings.change({ ...off, min_password_length: 12 }, NOW)).toBe('done')
      expect(await storage.users.edit(ann, { did: null }, NOW)).toBe('done')
    })

    it('is named with every other that would go with it', async () => {
      await comeBy(ann, 'link_account')
      expect(await storage.users.remove(ann, NOW)).toEqual(left(password, { ...password, way: 'atproto' }))
    })

    it('stands against nobody who adds a way, changes his own or owns the machine', async () => {
      const bob = await storeUser(storage)
      expect(await storage.users.edit(bob, { superuser: true }, NOW)).toBe('done')
      expect(await storage.users.edit(ann, { enabled: true, superuser: true, lang: 'de' }, NOW)).toBe('done')
      expect(await storage.users.setPassword(ann, next)).toBe(true)
      expect(await storage.users.setPassword(ann, { ...next, by: 'machine' })).toBe(true)
    })
  })

  it('where there is none, none is taken that might become one, until somebody has come in', async () => {
    const bob = await storeUser(storage, { superuser: true, did: DID, require_password_change: true })
    await storage.users.setPassword(ann, { ...next, by: 'machine' })
    expect(await proven()).toEqual([])
    const refused = left()
    expect(await storage.users.edit(bob, { enabled: false }, NOW)).toEqual(refused)
    expect(await storage.users.remove(ann, NOW)).toEqual(refused)
    expect(await storage.users.setPassword(bob, { ...next, by: ann })).toEqual(refused)
    expect(await storage.users.unlinkDid(bob, NOW, 'none')).toEqual(refused)
    expect(await storage.settings.change(off, NOW)).toEqual(refused)
    const temporary = [{ kind: 'temporary_password', id: String(bob) }] as const
    expect(await storage.access.revoke(temporary, {}, NOW)).toEqual(refused)
    // What takes none is done.
    const bare = await storeUser(storage, { superuser: true, password_hash: null })
    expect(await storage.users.setPassword(bare, { ...next, by: ann })).toBe(true)
    const ordinary = await storeUser(storage)
    expect(await storage.users.remove(ordinary, NOW)).toBe('done')
    await signIn(storage, ann, 'next')
    expect(await storage.users.remove(bob, NOW)).toBe('done')
  })

  it('leave the last enabled superuser to his own refusal', async () => {
    expect(await storage.users.remove(ann, NOW)).toBe('LAST_SUPERUSER')
    expect(await storage.users.edit(ann, { superuser: false }, NOW)).toBe('LAST_SUPERUSER')
  })

  describe('of many changes at once', () => {
    it('keep one, when everybody takes the way of everybody else', async () => {
      const people = [ann, ...(await atOnce(5, () => storeSuperuser(storage)))]
      const changes = [
        (from: Storage, id: number) => from.users.edit(id, { enabled: false }, NOW),
        (from: Storage, id: number) => from.users.edit(id, { superuser: false }, NOW),
        (from: Storage, id: number) => from.users.remove(id, NOW),
        (from: Storage, id: number) => from.users.setPassword(id, { ...next, by: ann }),
      ]
      const outcomes = await Promise.all(people.map((id, index) => changes[index % 4]?.(either(index), id)))
      expect(await proven()).toHaveLength(1)
      expect(outcomes.filter((one) => one !== 'done' && one !== true)).toHaveLength(1)
    })

    it('keep one, when two delete, demote and reset each other', async () => {
      for (let round = 0; round < 8; round += 1) {
        const bob = await storeSuperuser(storage)
        const pair = await storeSuperuser(storage)
        for (const { user_id } of await storage.users.superusers(99))
          if (user_id !== bob && user_id !== pair) await storage.users.edit(user_id, { superuser: false }, NOW)
        const outcomes = await Promise.all([
          round % 2 ? storage.users.remove(bob, NOW) : storage.users.setPassword(bob, { ...next, by: pair }),
          round % 3
            ? other.users.edit(pair, { superuser: false }, NOW)
            : other.users.setPassword(pair, { ...next, by: bob }),
        ])
        expect(await proven()).toHaveLength(1)
        expect(outcomes.filter((one) => one === 'done' || one === true)).toHaveLength(1)
      }
    })

    it('keep one, when ATProto is switched off while the last password is reset', async () => {
      await comeBy(ann, 'link_account')
      for (let round = 0; round < 6; round += 1) {
        const outcomes = await Promise.all([
          storage.settings.change(off, NOW),
          other.users.setPassword(ann, { ...next, by: 2 }),
        ])
        expect(await proven()).toHaveLength(1)
        expect(outcomes.filter((one) => typeof one === 'object')).toHaveLength(1)
        await storage.settings.change({ atproto_enabled: true }, NOW)
        await storage.users.setPassword(ann, { ...next, password_hash: 'hash' })
      }
    })
  })
})
