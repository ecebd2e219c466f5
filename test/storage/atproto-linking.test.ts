import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { NewSession, Storage } from '../../server/storage/port.ts'
import { type Account, storeAccount, storeExchange } from './atproto-builders.ts'
import { atOnce, buildSession, HOUR, NOW, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('exchange tokens that link an account, on $name', (engine) => {
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

  async function storeSession(user_id: number, fields: Partial<NewSession> = {}): Promise<NewSession> {
    const session = buildSession(user_id, fields)
    if (!(await storage.sessions.create(session))) throw new Error('refused')
    return session
  }

  const sessionOf = async ({ secret_hash }: NewSession) => (await other.sessions.findBySecret(secret_hash))?.session

  async function begin(did: string, fields: Partial<Account> & { bearer?: NewSession } = {}) {
    const user_id = fields.user_id ?? (await storeUser(storage))
    const bearer = fields.bearer ?? (await storeSession(user_id))
    const { session_id } = bearer
    const exchange = await storeExchange(storage, { user_id, did }, { kind: 'link_account', session_id })
    const link = (from = storage, now = NOW) =>
      from.atproto.consumeLink(exchange.token_hash, exchange.nonce_hash, 'ann.test', now)
    return { user_id, bearer, exchange, link }
  }
  const didOf = (name: string) => `did:web:${name}.test`

  it('give it to the user, once, and the grant to nobody', async () => {
    const { user_id, exchange, link } = await begin(didOf('plain'))
    expect(await storage.atproto.consumeLink(exchange.token_hash, 'another', null, NOW)).toBe('gone')
    const linked = await atOnce(20, (index) => link(either(index)))
    expect(linked.filter((one) => one === 'done')).toHaveLength(1)
    expect(linked.filter((one) => one === 'gone')).toHaveLength(19)
    const user = await other.users.findByDid(didOf('plain'))
    expect(user).toMatchObject({ user_id, handle: 'ann.test' })
    const orphans = await storage.atproto.orphanedGrants(NOW, 999)
    expect(orphans.map(({ grant_id }) => grant_id)).toContain(exchange.grant_id)
  })

  it('are spent on an account that is another user’s', async () => {
    const owner = await storeAccount(storage)
    const { user_id, link } = await begin(owner.did)
    expect(await link()).toBe('DID_TAKEN')
    expect(await link()).toBe('gone')
    expect((await storage.users.find(user_id))?.did).toBeNull()
    expect((await storage.users.findByDid(owner.did))?.user_id).toBe(owner.user_id)
  })

  it('give one account to one of many at once, and every token is spent', async () => {
    const links = await atOnce(10, () => begin(didOf('wanted')))
    const linked = await Promise.all(links.map(({ link }, index) => link(either(index))))
    expect(linked.filter((one) => one === 'done')).toHaveLength(1)
    expect(linked.filter((one) => one === 'DID_TAKEN')).toHaveLength(9)
    for (const { link } of links) expect(await link()).toBe('gone')
  })

  it('are worth nothing once the session that began is over, or its user is disabled', async () => {
    const over = await begin(didOf('over'))
    await storage.sessions.revoke(over.bearer.session_id, over.user_id, NOW)
    const disabled = await begin(didOf('disabled'))
    await storage.users.edit(disabled.user_id, { enabled: false }, NOW)
    const expired = await begin(didOf('expired'))
    const sign_in = await storeExchange(storage, await storeAccount(storage), { kind: 'sign_in' })
    const ended = await begin(didOf('ended'))
    expect(await over.link()).toBe('gone')
    expect(await disabled.link()).toBe('gone')
    expect(await expired.link(storage, expired.exchange.expires_at)).toBe('gone')
    expect(await ended.link(storage, NOW + HOUR)).toBe('gone')
    expect(await storage.atproto.consumeLink(sign_in.token_hash, sign_in.nonce_hash, null, NOW)).toBe('gone')
    for (const name of ['over', 'disabled', 'expired'])
      expect(await storage.users.findByDid(didOf(name))).toBeUndefined()
    expect(await expired.link()).toBe('done')
  })

  it('end what the account before it began, but not the session in hand', async () => {
    const account = await storeAccount(storage)
    const { user_id } = account
    const bearer = await storeSession(user_id, { auth_source: 'atproto' })
    const elsewhere = await storeSession(user_id, { auth_source: 'atproto' })
    const token = await storeSession(user_id, { auth_source: 'atproto', kind: 'developer' })
    const byPassword = await storeSession(user_id)
    expect(await (await begin(account.did, { user_id, bearer })).link()).toBe('done')
    expect((await sessionOf(elsewhere))?.revoked_at).toBeNull()
    expect(await (await begin(didOf('second'), { user_id, bearer })).link(storage, NOW + 1)).toBe('done')
    expect((await sessionOf(bearer))?.revoked_at).toBeNull()
    expect((await sessionOf(byPassword))?.revoked_at).toBeNull()
    expect((await sessionOf(elsewhere))?.revoked_at).toBe(NOW + 1)
    expect((await sessionOf(token))?.revoked_at).toBe(NOW + 1)
  })
})
