import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewSession, Storage } from '../../server/storage/port.ts'
import { atOnce, buildSession, HOUR, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('developer tokens on $name', (engine) => {
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
  const build = (user_id: number, fields: Partial<NewSession> = {}) =>
    buildSession(user_id, { kind: 'developer', prefix: 'abcd1234', name: 'for the build', ...fields })

  it('are sessions with a prefix and a name, found by their secret, and no sign-in', async () => {
    const user_id = await storeUser(storage)
    const token = build(user_id)
    expect(await storage.developerTokens.create(token, 5)).toBe(true)
    const found = await other.sessions.findBySecret(token.secret_hash)
    expect(found?.session).toMatchObject({ kind: 'developer', prefix: 'abcd1234', name: 'for the build', scope: null })
    expect(found?.user.last_sign_in_at).toBeNull()
    expect(await storage.sessions.listLive(user_id, NOW, 0)).toEqual([])
  })

  it('have no name where none was given, and other sessions have neither name nor prefix', async () => {
    const user_id = await storeUser(storage)
    const [token, browser] = [build(user_id, { name: null }), buildSession(user_id)]
    await storage.developerTokens.create(token, 5)
    await storage.sessions.create(browser)
    expect((await storage.sessions.findBySecret(token.secret_hash))?.session.name).toBeNull()
    const session = (await storage.sessions.findBySecret(browser.secret_hash))?.session
    expect(session).toMatchObject({ prefix: null, name: null, scope: null })
  })

  it('are listed and counted while they have not ended, the newest first', async () => {
    const user_id = await storeUser(storage)
    const stranger = await storeUser(storage)
    const tokens = [-2, 0, -1].map((hours) => build(user_id, { created_at: NOW + hours * HOUR }))
    const ended = build(user_id)
    const made = [...tokens, ended, build(user_id, { expires_at: NOW }), build(stranger)]
    for (const token of made) expect(await storage.developerTokens.create(token, 99)).toBe(true)
    await storage.sessions.create(buildSession(user_id))
    expect(await storage.sessions.revoke(ended.session_id, user_id, NOW)).toBe(true)
    const listed = await other.developerTokens.list(user_id, NOW)
    expect(listed.map(({ session_id }) => session_id)).toEqual([1, 2, 0].map((index) => tokens[index]?.session_id))
    expect(await other.developerTokens.count(user_id, NOW)).toBe(3)
    expect(await other.developerTokens.count(user_id, NOW + HOUR)).toBe(0)
  })

  it('are never more than allowed, however many are made at once; those that ended make room', async () => {
    const user_id = await storeUser(storage)
    const made = await atOnce(20, (index) => either(index).developerTokens.create(build(user_id), 3))
    expect(made.filter(Boolean)).toHaveLength(3)
    const [first] = await storage.developerTokens.list(user_id, NOW)
    await storage.sessions.revoke(first?.session_id ?? '', user_id, NOW)
    expect(await storage.developerTokens.create(build(user_id), 3)).toBe(true)
    expect(await storage.developerTokens.create(build(user_id), 3)).toBe(false)
    expect(await storage.developerTokens.create(build(user_id, { created_at: NOW + HOUR }), 3)).toBe(true)
  })

  it('are not made for somebody who is disabled or gone, also not beside his disabling', async () => {
    const disabled = await storeUser(storage, { enabled: false })
    expect(await storage.developerTokens.create(build(disabled), 3)).toBe(false)
    expect(await storage.developerTokens.create(build(2_000_000), 3)).toBe(false)
    for (let round = 0; round < 10; round++) {
      const user_id = await storeUser(storage)
      await Promise.all([
        storage.developerTokens.create(build(user_id), 3),
        other.users.edit(user_id, { enabled: false }, NOW),
      ])
      expect(await storage.developerTokens.count(user_id, NOW)).toBe(0)
    }
  })

  it('show their names on the access board', async () => {
    const user_id = await storeUser(storage)
    await storage.developerTokens.create(build(user_id, { name: 'for the press' }), 3)
    const at = { now: NOW, idle_since: NOW - HOUR, begun_since: NOW - HOUR }
    const board = await storage.access.list({ kind: 'developer_token', user_id, limit: 5 }, at)
    expect(board.map(({ reason }) => reason)).toEqual(['for the press'])
  })
})
