import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewSession, Storage } from '../../server/storage/port.ts'
import { storeAccount } from './atproto-builders.ts'
import { atOnce, buildSession, buildUser, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('ATProto accounts of users on $name', (engine) => {
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

  const either = (index: number) => (index % 2 === 0 ? storage : other)
  const found = async (q: string) =>
    (await other.users.list({ q, sort: 'username', limit: 9 })).items.map(({ user_id }) => user_id)
  const endOf = async ({ secret_hash }: NewSession) =>
    (await storage.sessions.findBySecret(secret_hash))?.session.revoked_at

  /** A session, and a developer token, of the account; and both of the password. */
  async function storeSessions(user_id: number) {
    const build = (fields: Partial<NewSession>) => buildSession(user_id, fields)
    const sessions = {
      begun: build({ auth_source: 'atproto' }),
      current: build({ auth_source: 'atproto' }),
      token: build({ auth_source: 'atproto', kind: 'developer' }),
      local: build({}),
      localToken: build({ kind: 'developer' }),
    }
    for (const session of Object.values(sessions)) await storage.sessions.create(session)
    return sessions
  }

  it('are found by their identifier', async () => {
    const { user_id, did } = await storeAccount(storage)
    expect((await other.users.findByDid(did))?.user_id).toBe(user_id)
    expect(await storage.users.findByDid('did:web:nobody.test')).toBeUndefined()
  })

  it('are of one user each, however many are made or edited at once', async () => {
    const made = await atOnce(10, (index) => either(index).users.create(buildUser({ did: 'did:web:made.test' })))
    expect(made.filter((one) => one === 'DID_TAKEN')).toHaveLength(9)
    const ids = await atOnce(10, () => storeUser(storage))
    const did = 'did:web:edited.test'
    const edits = await Promise.all(ids.map((user_id, index) => either(index).users.edit(user_id, { did }, NOW)))
    expect(edits.filter((one) => one === 'done')).toHaveLength(1)
    expect(edits.filter((one) => one === 'DID_TAKEN')).toHaveLength(9)
  })

  it.each([['another', 'did:web:another.test'] as const, ['none', null] as const])(
    'end with their sessions and tokens when an edit gives %s, and the handle is forgotten',
    async (_name, did) => {
      const { user_id } = await storeAccount(storage, { handle: 'before.test' })
      const sessions = await storeSessions(user_id)
      expect(await storage.users.edit(user_id, { did }, NOW + 1)).toBe('done')
      expect(await storage.users.find(user_id)).toMatchObject({ did, handle: null })
      expect(await found('before.test')).not.toContain(user_id)
      for (const one of ['begun', 'current', 'token'] as const) expect(await endOf(sessions[one])).toBe(NOW + 1)
      for (const one of ['local', 'localToken'] as const) expect(await endOf(sessions[one])).toBeNull()
    },
  )

  it('stay with sessions and handle in an edit that says the same, or says nothing of it', async () => {
    const { user_id, did } = await storeAccount(storage, { handle: 'kept.test' })
    const sessions = await storeSessions(user_id)
    await storage.users.edit(user_id, { did, lang: 'de' }, NOW)
    await storage.users.edit(user_id, { display_name: 'Ann' }, NOW)
    expect(await storage.users.find(user_id)).toMatchObject({ did, handle: 'kept.test' })
    for (const session of Object.values(sessions)) expect(await endOf(session)).toBeNull()
  })

  it('are taken off once, with all that they began but the session in hand', async () => {
    const { user_id, did } = await storeAccount(storage, { handle: 'off.test' })
    const sessions = await storeSessions(user_id)
    const except = sessions.current.session_id
    const unlinked = await atOnce(10, (index) => either(index).users.unlinkDid(user_id, NOW + 1, except))
    expect(unlinked.filter(Boolean)).toHaveLength(1)
    expect(await storage.users.find(user_id)).toMatchObject({ did: null, handle: null })
    expect(await storage.users.findByDid(did)).toBeUndefined()
    expect(await found('off.test')).toEqual([])
    for (const one of ['begun', 'token'] as const) expect(await endOf(sessions[one])).toBe(NOW + 1)
    for (const one of ['current', 'local', 'localToken'] as const) expect(await endOf(sessions[one])).toBeNull()
    expect(await storage.users.unlinkDid(2_000_000, NOW, except)).toBe(false)
  })

  it('are searched by the handle that they have now', async () => {
    const { user_id } = await storeAccount(storage, { handle: 'old-handle.test' })
    expect(await found('old-handle')).toEqual([user_id])
    await storage.users.setHandle(user_id, 'new-handle.test')
    expect(await found('old-handle')).toEqual([])
    expect(await found('new-handle')).toEqual([user_id])
    expect((await other.users.find(user_id))?.handle).toBe('new-handle.test')
    await storage.users.setHandle(user_id, null)
    expect(await found('new-handle')).toEqual([])
    await storage.users.setHandle(2_000_000, 'nobody.test')
  })

  it('lose neither name nor handle from the search when both change at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { user_id } = await storeAccount(storage)
      await Promise.all([
        storage.users.edit(user_id, { display_name: `name-${round}-` }, NOW),
        other.users.setHandle(user_id, `handle-${round}-.test`),
      ])
      expect(await found(`name-${round}-`)).toEqual([user_id])
      expect(await found(`handle-${round}-`)).toEqual([user_id])
    }
  })

  it('leave managers who edit each other at once in peace', async () => {
    for (let round = 0; round < 10; round++) {
      const [one, two] = [await storeUser(storage), await storeUser(storage)]
      const edits = await Promise.all([
        storage.users.edit(one, { manager_id: two }, NOW),
        other.users.edit(two, { manager_id: one }, NOW),
      ])
      expect(edits).toEqual(['done', 'done'])
    }
  })
})
