import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LimitRule, Storage } from '../../server/storage/port.ts'
import { atOnce, buildSession, HOUR, NOW, redeem, storeLoginToken, storeUser } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

describe.each(ENGINES)('secrets, sessions and limits on $name', (engine) => {
  let database: TestDatabase
  let storage: Storage
  /** A second server on the same database where the engine has such a thing; else the same one. */
  let neighbour: Storage
  let user_id: number
  beforeAll(async () => {
    database = await engine.create()
    storage = await database.open()
    neighbour = engine.shared ? await database.open() : storage
    user_id = await storeUser(storage)
  })
  afterAll(async () => {
    await storage.close()
    if (neighbour !== storage) await neighbour.close()
    await database.drop()
  })

  const either = (index: number) => (index % 2 ? storage : neighbour)

  it('redeems a login token once, however many try at once and wherever', async () => {
    const token = await storeLoginToken(storage, user_id)
    const results = await atOnce(100, (index) => redeem(either(index), token, user_id, NOW, `10.0.0.${index}`))
    expect(results.filter(Boolean)).toHaveLength(1)
    expect(results.find(Boolean)).toMatchObject({ login_user_id: user_id, used_at: NOW })
    expect(await redeem(storage, token, user_id)).toBeUndefined()
  })

  it('does not redeem an expired or unknown login token', async () => {
    const token = await storeLoginToken(storage, user_id, { expires_at: NOW })
    expect(await redeem(storage, token, user_id)).toBeUndefined()
    expect(await redeem(storage, 'f'.repeat(64), user_id)).toBeUndefined()
  })

  it('uses a recovery code up once', async () => {
    await storage.recoveryCodes.replace(user_id, ['a', 'b', 'c'])
    const used = await atOnce(30, (index) => either(index).recoveryCodes.consume(user_id, 'b'))
    expect(used.filter(Boolean)).toHaveLength(1)
    expect(await storage.recoveryCodes.count(user_id)).toBe(2)
    await storage.recoveryCodes.replace(user_id, ['d'])
    expect(await storage.recoveryCodes.consume(user_id, 'a')).toBe(false)
  })

  it('accepts a TOTP step once, and none before it', async () => {
    const accepted = await atOnce(30, (index) => either(index).users.consumeTotpStep(user_id, 1000))
    expect(accepted.filter(Boolean)).toHaveLength(1)
    expect(await storage.users.consumeTotpStep(user_id, 999)).toBe(false)
    expect(await storage.users.consumeTotpStep(user_id, 1001)).toBe(true)
  })

  it('confirms an authenticator app once, and never replaces a confirmed one', async () => {
    const person = await storeUser(storage)
    expect(await storage.users.confirmTotp(person, ['x'], 1, NOW)).toBe(false)
    expect(await storage.users.beginTotp(person, 'sealed-1')).toBe(true)
    expect(await storage.users.beginTotp(person, 'sealed-2')).toBe(true)
    const confirmed = await atOnce(10, (index) => either(index).users.confirmTotp(person, [`code-${index}`], 5, NOW))
    expect(confirmed.filter(Boolean)).toHaveLength(1)
    expect(await storage.recoveryCodes.count(person)).toBe(1)
    expect(await storage.users.beginTotp(person, 'sealed-3')).toBe(false)
    expect(await storage.users.find(person)).toMatchObject({ totp_secret: 'sealed-2', totp_confirmed_at: NOW })
    expect(await storage.users.removeTotp(person)).toBe(true)
    expect(await storage.users.removeTotp(person)).toBe(false)
    expect(await storage.recoveryCodes.count(person)).toBe(0)
  })

  it('finds a session with its user, and its new secret after a rotation', async () => {
    const session = buildSession(user_id, { amr: ['pwd', 'otp'], group_id: 'g' })
    expect(await storage.sessions.create(session)).toBe(true)
    const found = await neighbour.sessions.findBySecret(session.secret_hash)
    const { secret_hash, ...fields } = session
    const without = { scope: null, prefix: null, name: null, revoked_at: null }
    expect(found?.session).toEqual({ ...fields, ...without, last_seen_at: NOW })
    expect(found?.user).toMatchObject({ user_id, last_sign_in_at: NOW })
    expect(await storage.sessions.rotate(session.session_id, 'rotated', NOW + 1, 'recovery')).toBe(true)
    expect(await neighbour.sessions.findBySecret(secret_hash)).toBeUndefined()
    expect((await neighbour.sessions.findBySecret('rotated'))?.session).toMatchObject({
      authenticated_at: NOW + 1,
      amr: ['pwd', 'otp', 'recovery'],
    })
  })

  it('ends a session once, for its owner only, and rotates it no more', async () => {
    const session = buildSession(user_id)
    await storage.sessions.create(session)
    expect(await storage.sessions.revoke(session.session_id, user_id + 1, NOW)).toBe(false)
    const ended = await atOnce(10, (index) => either(index).sessions.revoke(session.session_id, user_id, NOW))
    expect(ended.filter(Boolean)).toHaveLength(1)
    expect(await storage.sessions.rotate(session.session_id, 'never', NOW)).toBe(false)
    expect((await neighbour.sessions.findBySecret(session.secret_hash))?.session.revoked_at).toBe(NOW)
  })

  it('lists live sessions only: not ended, not past their end, not idle, no developer tokens', async () => {
    const person = await storeUser(storage)
    const live = buildSession(person)
    for (const session of [
      live,
      buildSession(person, { expires_at: NOW - 1 }),
      buildSession(person, { created_at: NOW - 5 * HOUR }),
      buildSession(person, { kind: 'developer' }),
    ]) {
      await storage.sessions.create(session)
    }
    const listed = await storage.sessions.listLive(person, NOW, NOW - HOUR)
    expect(listed.map((session) => session.session_id)).toEqual([live.session_id])
    await storage.sessions.touch(live.session_id, NOW + 9)
    expect((await storage.sessions.listLive(person, NOW, NOW - HOUR))[0]?.last_seen_at).toBe(NOW + 9)
    expect(await storage.sessions.revokeAll(person, NOW, live.session_id)).toBe(2)
    expect(await storage.sessions.listLive(person, NOW, NOW - HOUR)).toHaveLength(1)
  })

  it('forgets ended sessions, and only those', async () => {
    const person = await storeUser(storage)
    const [live, past, ended] = [
      buildSession(person),
      buildSession(person, { expires_at: NOW - HOUR }),
      buildSession(person),
    ]
    for (const session of [live, past, ended]) await storage.sessions.create(session)
    await storage.sessions.revoke(ended.session_id, person, NOW - HOUR)
    await storage.sessions.sweep(NOW - 1)
    expect(await storage.sessions.findBySecret(live.secret_hash)).toBeDefined()
    expect(await storage.sessions.findBySecret(past.secret_hash)).toBeUndefined()
    expect(await storage.sessions.findBySecret(ended.secret_hash)).toBeUndefined()
  })

  it('trusts a device for its owner until it expires or is removed', async () => {
    const device = {
      device_id: 'device',
      user_id,
      secret_hash: 'device-secret',
      created_at: NOW,
      last_used_at: NOW,
      expires_at: NOW + HOUR,
      ip: '::1',
      user_agent: 'test',
    }
    await storage.trustedDevices.create(device)
    expect(await storage.trustedDevices.use(user_id, 'device-secret', NOW + 1)).toBe(true)
    expect(await storage.trustedDevices.use(user_id + 1, 'device-secret', NOW + 1)).toBe(false)
    expect(await storage.trustedDevices.use(user_id, 'device-secret', NOW + HOUR)).toBe(false)
    expect(await storage.trustedDevices.list(user_id, NOW)).toEqual([{ ...device, last_used_at: NOW + 1 }])
    expect(await storage.trustedDevices.remove('device', user_id + 1)).toBe(false)
    expect(await storage.trustedDevices.remove('device', user_id)).toBe(true)
  })

  describe('limits', () => {
    const rule: LimitRule = { failures: 3, window: 10_000, block: 60_000 }

    it('counts every one of many simultaneous failures', async () => {
      const loose = { ...rule, failures: 40 }
      await atOnce(39, (index) => either(index).limits.fail('many', loose, NOW))
      expect(await storage.limits.blockedUntil('many', NOW)).toBeUndefined()
      expect(await storage.limits.fail('many', loose, NOW)).toBe(NOW + 60_000)
    })

    it('blocks at the limit, for as long as the rule says, and then counts anew', async () => {
      expect(await storage.limits.fail('key', rule, NOW)).toBeUndefined()
      expect(await storage.limits.fail('key', rule, NOW + 1)).toBeUndefined()
      expect(await storage.limits.fail('key', rule, NOW + 2)).toBe(NOW + 60_002)
      expect(await neighbour.limits.blockedUntil('key', NOW + 60_001)).toBe(NOW + 60_002)
      expect(await neighbour.limits.blockedUntil('key', NOW + 60_002)).toBeUndefined()
      expect(await storage.limits.fail('key', rule, NOW + 60_002)).toBeUndefined()
      expect(await storage.limits.fail('key', rule, NOW + 60_003)).toBeUndefined()
    })

    it('forgets failures older than the window', async () => {
      await storage.limits.fail('slow', rule, NOW)
      await storage.limits.fail('slow', rule, NOW + 1)
      expect(await storage.limits.fail('slow', rule, NOW + 10_000)).toBeUndefined()
      expect(await storage.limits.fail('slow', rule, NOW + 10_001)).toBeUndefined()
      expect(await storage.limits.fail('slow', rule, NOW + 10_002)).toBe(NOW + 70_002)
    })

    it('blocks without an end until cleared, and survives a sweep', async () => {
      const hard = { failures: 1, window: Infinity, block: Infinity }
      expect(await storage.limits.fail('hard', hard, NOW)).toBe(Infinity)
      await storage.limits.sweep(NOW + 1000 * HOUR)
      expect(await neighbour.limits.blockedUntil('hard', NOW + 999 * HOUR)).toBe(Infinity)
      await storage.limits.clear(['hard', 'never-counted'])
      expect(await neighbour.limits.blockedUntil('hard', NOW)).toBeUndefined()
    })
  })

  it('keeps settings of any JSON shape, the last write winning', async () => {
    await storage.settings.change({ shape: { a: [1, 'zwei', null], b: true } }, NOW)
    await storage.settings.change({ number: 1 }, NOW)
    await storage.settings.change({ number: 2 }, NOW)
    expect(await neighbour.settings.all()).toMatchObject({ shape: { a: [1, 'zwei', null], b: true }, number: 2 })
  })
})
