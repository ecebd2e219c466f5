import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../../server/storage/port.ts'
import { MINUTE, storeAccount, storeExchange, storeGrantedSession } from './atproto-builders.ts'
import { atOnce, HOUR, NOW } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const DAY = 24 * HOUR

describe.each(ENGINES)('ATProto grants on $name', (engine) => {
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
  const scopeOf = async (secret_hash: string) => (await storage.sessions.findBySecret(secret_hash))?.session.scope

  it('are found by themselves and by their session', async () => {
    const account = await storeAccount(storage)
    const one = await storeGrantedSession(storage, account, { kid: 'key' })
    const two = await storeGrantedSession(storage, account)
    const grant = await storage.atproto.findGrant(one.grant_id)
    expect(grant).toEqual({
      grant_id: one.grant_id,
      did: account.did,
      session_id: one.session.session_id,
      issuer: 'https://pds.example.org',
      scope: 'atproto transition:generic',
      kid: 'key',
      sealed: 'tokens',
      granted_at: NOW,
      refreshed_at: NOW,
      refreshing_since: null,
    })
    expect(await other.atproto.grantOfSession(one.session.session_id)).toEqual(grant)
    const both = await storage.atproto.grantsOfSessions([one, two].map(({ session }) => session.session_id))
    expect(both.map(({ grant_id }) => grant_id).toSorted()).toEqual([one.grant_id, two.grant_id].toSorted())
    expect(await storage.atproto.grantsOfSessions([])).toEqual([])
    expect(await storage.atproto.grantOfSession('unknown')).toBeUndefined()
    await storage.atproto.deleteGrant(one.grant_id)
    expect(await storage.atproto.findGrant(one.grant_id)).toBeUndefined()
  })

  it('are refreshed by one of twenty at once, until that is finished or released', async () => {
    const { grant_id, session } = await storeGrantedSession(storage, await storeAccount(storage))
    const begin = async () => {
      const begun = await atOnce(20, (index) => either(index).atproto.beginRefresh(grant_id, NOW + index))
      expect(begun.filter(Boolean)).toHaveLength(1)
      return NOW + begun.indexOf(true)
    }
    await storage.atproto.releaseRefresh(grant_id, await begin())
    const begun_at = await begin()
    await storage.atproto.releaseRefresh(grant_id, begun_at - 1)
    expect(await storage.atproto.beginRefresh(grant_id, NOW)).toBe(false)
    const brought = { scope: 'atproto', refreshed_at: NOW + 9, sealed: 'newer' }
    const finished = await atOnce(6, (index) => either(index).atproto.finishRefresh(grant_id, begun_at, brought))
    expect(finished.filter(Boolean)).toHaveLength(1)
    expect(await other.atproto.findGrant(grant_id)).toMatchObject({ ...brought, refreshing_since: null })
    expect(await scopeOf(session.secret_hash)).toBe('atproto')
    await begin()
  })

  it('once dead stay dead: no refresh brings them back, and their sessions have no scope', async () => {
    const { grant_id, session } = await storeGrantedSession(storage, await storeAccount(storage))
    expect(await storage.atproto.beginRefresh(grant_id, NOW)).toBe(true)
    const ended = await atOnce(20, (index) => either(index).atproto.endGrant(grant_id))
    expect(ended.filter(Boolean)).toHaveLength(1)
    expect(await storage.atproto.findGrant(grant_id)).toMatchObject({ sealed: null, refreshing_since: null })
    expect(await scopeOf(session.secret_hash)).toBe('')
    const brought = { scope: 'atproto', refreshed_at: NOW + 9, sealed: 'newer' }
    expect(await storage.atproto.finishRefresh(grant_id, NOW, brought)).toBe(false)
    expect(await storage.atproto.beginRefresh(grant_id, NOW)).toBe(false)
    expect((await storage.atproto.findGrant(grant_id))?.sealed).toBeNull()
    expect(await storage.atproto.endGrant('unknown')).toBe(false)
    expect(await storage.atproto.beginRefresh('unknown', NOW)).toBe(false)
    expect(await storage.atproto.finishRefresh('unknown', NOW, brought)).toBe(false)
  })

  it('have ended, and their session says so, when that and a refresh come at once', async () => {
    for (let round = 0; round < 10; round++) {
      const { grant_id, session } = await storeGrantedSession(storage, await storeAccount(storage))
      await storage.atproto.beginRefresh(grant_id, NOW)
      const brought = { scope: 'newer', refreshed_at: NOW + 9, sealed: 'newer' }
      const [, ended] = await Promise.all([
        storage.atproto.finishRefresh(grant_id, NOW, brought),
        other.atproto.endGrant(grant_id),
      ])
      expect(ended).toBe(true)
      expect((await storage.atproto.findGrant(grant_id))?.sealed).toBeNull()
      expect(await scopeOf(session.secret_hash)).toBe('')
    }
  })

  it('whose refresh was sent and never written end, and are answered to one caller as they were', async () => {
    const lost = await atOnce(3, async (index) => {
      const made = await storeGrantedSession(storage, await storeAccount(storage))
      await storage.atproto.beginRefresh(made.grant_id, NOW - HOUR - index)
      return made
    })
    const young = await storeGrantedSession(storage, await storeAccount(storage))
    await storage.atproto.beginRefresh(young.grant_id, NOW)
    const answers = (await atOnce(8, (index) => either(index).atproto.endLostRefreshes(NOW - MINUTE))).flat()
    expect(answers.map(({ grant_id }) => grant_id).toSorted()).toEqual(lost.map((one) => one.grant_id).toSorted())
    for (const answer of answers)
      expect(answer).toMatchObject({ sealed: 'tokens', scope: 'atproto transition:generic' })
    for (const { grant_id, session } of lost) {
      expect(await storage.atproto.findGrant(grant_id)).toMatchObject({ sealed: null, refreshing_since: null })
      expect(await scopeOf(session.secret_hash)).toBe('')
    }
    expect(await scopeOf(young.session.secret_hash)).not.toBe('')
    expect(await storage.atproto.beginRefresh(young.grant_id, NOW)).toBe(false)
  })

  it('are due when they live, their sessions too, and nobody refreshes them: the longest ago first', async () => {
    const account = await storeAccount(storage)
    const long = NOW - 100 * DAY
    const store = (days: number) => storeGrantedSession(storage, account, { refreshed_at: long - days * DAY })
    const [one, three, two] = [await store(1), await store(3), await store(2)]
    const [dead, marked, revoked] = [await store(4), await store(5), await store(6)]
    await storeGrantedSession(storage, account, { refreshed_at: long - 7 * DAY }, { expires_at: NOW })
    await storeExchange(storage, account, {}, { refreshed_at: long - 8 * DAY })
    await storage.atproto.endGrant(dead.grant_id)
    await storage.atproto.beginRefresh(marked.grant_id, NOW)
    await storage.sessions.revoke(revoked.session.session_id, account.user_id, NOW)
    const due = async (limit: number) =>
      (await other.atproto.dueForRefresh(long, NOW, limit)).map(({ grant_id }) => grant_id)
    expect(await due(10)).toEqual([three, two, one].map(({ grant_id }) => grant_id))
    expect(await due(2)).toEqual([three, two].map(({ grant_id }) => grant_id))
  })

  it('are orphans when their session has ended or is gone, or their exchange token has expired', async () => {
    const account = await storeAccount(storage)
    const gone = await storeAccount(storage)
    const [, revoked] = [
      await storeGrantedSession(storage, account),
      await storeGrantedSession(storage, account),
      await storeExchange(storage, account, { expires_at: NOW + 1 }),
    ]
    const short = await storeGrantedSession(storage, account, {}, { expires_at: NOW })
    const expired = await storeExchange(storage, account, { expires_at: NOW })
    const removed = await storeGrantedSession(storage, gone)
    await storage.sessions.revoke(revoked.session.session_id, account.user_id, NOW)
    await storage.users.remove(gone.user_id, NOW)
    const ids = async (limit = 99) => {
      const orphans = await other.atproto.orphanedGrants(NOW, limit)
      return orphans
        .filter(({ did }) => [account.did, gone.did].includes(did))
        .map(({ grant_id }) => grant_id)
        .toSorted()
    }
    const orphans = [revoked, short, expired, removed].map(({ grant_id }) => grant_id).toSorted()
    expect(await ids()).toEqual(orphans)
    expect((await storage.atproto.orphanedGrants(NOW, 2)).length).toBe(2)
    for (const grant_id of orphans) await storage.atproto.deleteGrant(grant_id)
    expect(await ids()).toEqual([])
  })

  it('are orphans too among so many others that they are not looked at in one go', async () => {
    const accounts = await atOnce(20, () => storeAccount(storage))
    const made = await atOnce(510, async (index) => {
      const account = accounts[index % 20] ?? (await storeAccount(storage))
      return (await storeGrantedSession(either(index), account)).session
    })
    const sessions = made.toSorted((one, next) => (one.session_id < next.session_id ? -1 : 1))
    const ended = [0, 1, 498, 499, 500, 501, 509].flatMap((index) => sessions[index] ?? [])
    for (const { session_id, user_id } of ended) await storage.sessions.revoke(session_id, user_id, NOW)
    const orphans = async (limit: number) =>
      (await other.atproto.orphanedGrants(NOW, limit)).flatMap(({ session_id }) => session_id ?? [])
    const ids = new Set(sessions.map(({ session_id }) => session_id))
    expect((await orphans(999)).filter((one) => ids.has(one))).toEqual(ended.map(({ session_id }) => session_id))
    expect(await orphans(3)).toHaveLength(3)
  })
})
