import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BegunByExchange, ExchangeRecord } from '../../server/storage/port/atproto.ts'
import type { NewSession, Storage } from '../../server/storage/port.ts'
import { type Account, buildAtprotoSession, storeAccount, storeExchange } from './atproto-builders.ts'
import { atOnce, buildSession, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('exchange tokens on $name', (engine) => {
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

  function consume(
    from: Storage,
    { token_hash, nonce_hash, user_id }: ExchangeRecord,
    begun: Partial<BegunByExchange> = {},
    now = NOW,
  ): Promise<boolean> {
    const session = buildAtprotoSession(user_id)
    return from.atproto.consumeExchange(token_hash, nonce_hash, { session, ...begun }, now)
  }

  async function storeSession(user_id: number, fields: Partial<NewSession> = {}): Promise<NewSession> {
    const session = buildSession(user_id, fields)
    if (!(await storage.sessions.create(session))) throw new Error('refused')
    return session
  }

  const sessionOf = async ({ secret_hash }: NewSession) => (await other.sessions.findBySecret(secret_hash))?.session

  it('are shown to the browser that began, until they expire, and not used up by that', async () => {
    const account = await storeAccount(storage)
    const exchange = await storeExchange(storage, account, {
      kind: 'developer_token',
      session_id: 'session',
      prompted: true,
      return_to: '/x',
      token_name: 'name',
      token_days: 7,
    })
    const { token_hash, nonce_hash, expires_at } = exchange
    for (let times = 0; times < 3; times++)
      expect(await other.atproto.showExchange(token_hash, nonce_hash, NOW)).toEqual(exchange)
    expect(await storage.atproto.showExchange(token_hash, 'another', NOW)).toBeUndefined()
    expect(await storage.atproto.showExchange('another', nonce_hash, NOW)).toBeUndefined()
    expect(await storage.atproto.showExchange(token_hash, nonce_hash, expires_at)).toBeUndefined()
  })

  it('begin their session, note the sign-in and hand the grant over in one step', async () => {
    const account = await storeAccount(storage)
    const exchange = await storeExchange(storage, account)
    const session = buildAtprotoSession(account.user_id, { created_at: NOW + 5, scope: 'atproto' })
    expect(await consume(storage, exchange, { session })).toBe(true)
    const found = await other.sessions.findBySecret(session.secret_hash)
    expect(found?.session).toMatchObject({ auth_source: 'atproto', scope: 'atproto', group_id: null, revoked_at: null })
    expect(found?.user.last_sign_in_at).toBe(NOW + 5)
    expect((await other.atproto.findGrant(exchange.grant_id))?.session_id).toBe(session.session_id)
    expect(await storage.atproto.showExchange(exchange.token_hash, exchange.nonce_hash, NOW)).toBeUndefined()
  })

  it('are consumed by one of a hundred at once: there is one session', async () => {
    const account = await storeAccount(storage)
    const exchange = await storeExchange(storage, account)
    const consumed = await atOnce(100, (index) => consume(either(index), exchange))
    expect(consumed.filter(Boolean)).toHaveLength(1)
    expect(await storage.sessions.listLive(account.user_id, NOW, 0)).toHaveLength(1)
  })

  it('make a developer token, which is no sign-in', async () => {
    const account = await storeAccount(storage)
    const exchange = await storeExchange(storage, account, { kind: 'developer_token' })
    const session = buildAtprotoSession(account.user_id, { kind: 'developer', prefix: 'abcd1234', name: 'mine' })
    expect(await consume(storage, exchange, { session })).toBe(true)
    const [token] = await storage.developerTokens.list(account.user_id, NOW)
    expect(token).toMatchObject({ session_id: session.session_id, prefix: 'abcd1234', name: 'mine' })
    expect((await storage.users.find(account.user_id))?.last_sign_in_at).toBeNull()
  })

  it('leave no trace of a try that is refused', async () => {
    const account = await storeAccount(storage)
    const stranger = await storeAccount(storage)
    const exchange = await storeExchange(storage, account)
    const link = await storeExchange(storage, account, { kind: 'link_account' })
    const ended = await storeSession(account.user_id)
    await storage.sessions.revoke(ended.session_id, account.user_id, NOW)
    const over = await storeSession(account.user_id, { expires_at: NOW })
    const kept = await storeSession(account.user_id, { created_at: NOW - 1 })
    const tries = [
      consume(storage, { ...exchange, nonce_hash: 'another browser' }),
      consume(storage, { ...exchange, token_hash: 'another' }),
      consume(storage, exchange, {}, exchange.expires_at),
      consume(storage, exchange, { session: buildAtprotoSession(stranger.user_id) }),
      consume(storage, exchange, { session: buildAtprotoSession(2_000_000) }),
      consume(storage, link),
      ...[ended.session_id, over.session_id, 'unknown'].flatMap((gone) => [
        consume(storage, exchange, { replaces: gone, ends: [kept.session_id] }),
        consume(storage, exchange, { joined_by: gone, ends: [kept.session_id] }),
      ]),
    ]
    expect(await Promise.all(tries)).toEqual(tries.map(() => false))
    expect((await storage.users.find(account.user_id))?.last_sign_in_at).toBe(NOW - 1)
    expect((await storage.users.find(stranger.user_id))?.last_sign_in_at).toBeNull()
    expect(await storage.sessions.listLive(stranger.user_id, NOW, 0)).toEqual([])
    expect((await storage.sessions.listLive(account.user_id, NOW, 0)).map((one) => one.session_id)).toEqual([
      kept.session_id,
    ])
    expect((await storage.atproto.findGrant(exchange.grant_id))?.session_id).toBeNull()
    expect(await storage.atproto.showExchange(link.token_hash, link.nonce_hash, NOW)).toBeDefined()
    expect(await consume(storage, exchange)).toBe(true)
  })

  it('begin nothing once the grant is dead or gone, or the account is no longer the user’s', async () => {
    const ends = [
      ({ grant_id }: ExchangeRecord) => storage.atproto.endGrant(grant_id),
      ({ grant_id }: ExchangeRecord) => storage.atproto.deleteGrant(grant_id),
      ({ user_id }: ExchangeRecord) => storage.users.unlinkDid(user_id, NOW, ''),
      ({ user_id }: ExchangeRecord) => storage.users.edit(user_id, { did: `did:web:new-${user_id}.test` }, NOW),
    ]
    for (const end of ends) {
      const account = await storeAccount(storage)
      const exchange = await storeExchange(storage, account)
      await end(exchange)
      expect(await consume(storage, exchange)).toBe(false)
      expect(await storage.sessions.listLive(account.user_id, NOW, 0)).toEqual([])
    }
  })

  it('let nobody in behind the back of an administrator: no session lives that began beside his doing', async () => {
    const ends = [
      ({ user_id }: Account) => other.users.edit(user_id, { enabled: false }, NOW),
      ({ user_id }: Account) => other.users.remove(user_id, NOW),
      ({ user_id }: Account) => other.sessions.revokeEverything(user_id, NOW),
      ({ user_id }: Account) => other.users.edit(user_id, { did: null }, NOW),
      ({ user_id }: Account) => other.users.unlinkDid(user_id, NOW, ''),
    ]
    for (let round = 0; round < 15; round++) {
      const account = await storeAccount(storage)
      const exchange = await storeExchange(storage, account)
      await Promise.all([consume(storage, exchange), ends[round % ends.length]?.(account)])
      expect(await storage.sessions.listLive(account.user_id, NOW, 0)).toEqual([])
      expect(await consume(storage, exchange)).toBe(false)
    }
  })

  it('replace a session, end others, and keep the group', async () => {
    const account = await storeAccount(storage)
    const { user_id } = account
    const replaced = await storeSession(user_id, { group_id: 'kept' })
    const also = await storeSession(user_id, { group_id: 'kept' })
    const ended = await storeSession(user_id)
    await storage.sessions.revoke(ended.session_id, user_id, NOW - 5)
    const exchange = await storeExchange(storage, account, { kind: 'scope_upgrade' })
    const session = buildAtprotoSession(user_id, { group_id: 'kept' })
    const begun = { session, replaces: replaced.session_id, ends: [also.session_id, ended.session_id, 'unknown'] }
    expect(await consume(storage, exchange, begun, NOW + 1)).toBe(true)
    const group = await other.sessions.listGroup('kept', NOW, 0)
    expect(group.map((one) => one.session_id)).toEqual([session.session_id])
    expect((await sessionOf(replaced))?.revoked_at).toBe(NOW + 1)
    expect((await sessionOf(also))?.revoked_at).toBe(NOW + 1)
    expect((await sessionOf(ended))?.revoked_at).toBe(NOW - 5)
  })

  it('replace a session once, however many would at the same moment', async () => {
    const account = await storeAccount(storage)
    const { session_id } = await storeSession(account.user_id)
    const exchanges = await atOnce(10, () => storeExchange(storage, account))
    const won = await Promise.all(
      exchanges.map((exchange, index) => consume(either(index), exchange, { replaces: session_id })),
    )
    expect(won.filter(Boolean)).toHaveLength(1)
    expect(await storage.sessions.listLive(account.user_id, NOW, 0)).toHaveLength(1)
  })

  it('found a group with the session that joins, and none beside it', async () => {
    const [first, second] = [await storeAccount(storage), await storeAccount(storage)]
    const joining = await storeSession(await storeUser(storage))
    const tries = await atOnce(6, async (index) => {
      const account = index % 2 === 0 ? first : second
      const exchange = await storeExchange(storage, account, { kind: 'add_account' })
      const session = buildAtprotoSession(account.user_id, { group_id: `group-${index}` })
      return {
        group: session.group_id,
        won: await consume(either(index), exchange, { session, joined_by: joining.session_id }),
      }
    })
    const winners = tries.filter(({ won }) => won)
    expect(winners).toHaveLength(1)
    expect((await sessionOf(joining))?.group_id).toBe(winners[0]?.group)
    const exchange = await storeExchange(storage, second, { kind: 'add_account' })
    const session = buildAtprotoSession(second.user_id, { group_id: winners[0]?.group ?? null })
    expect(await consume(storage, exchange, { session, joined_by: joining.session_id })).toBe(true)
    expect(await storage.sessions.listGroup(winners[0]?.group ?? '', NOW, 0)).toHaveLength(3)
  })

  it('leave nobody in a group that ends at the same moment', async () => {
    for (let round = 0; round < 15; round++) {
      const account = await storeAccount(storage)
      const group_id = `ending-${round}`
      const [one, two] = await atOnce(2, async () => storeSession(await storeUser(storage), { group_id }))
      const exchange = await storeExchange(storage, account, { kind: 'add_account' })
      const session = buildAtprotoSession(account.user_id, { group_id })
      const named = { joined_by: one?.session_id, ends: [two?.session_id ?? ''] }
      const [begun, ended] = await Promise.all([
        consume(storage, exchange, { session, ...named }),
        other.sessions.revokeGroup(group_id, NOW),
      ])
      expect(ended).toBe(2)
      expect(await storage.sessions.listGroup(group_id, NOW, 0)).toEqual([])
      expect((await sessionOf(session)) !== undefined).toBe(begun)
    }
    expect(await storage.sessions.revokeGroup('unknown', NOW)).toBe(0)
  })
})
