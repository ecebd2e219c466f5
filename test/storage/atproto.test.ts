import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Storage } from '../../server/storage/port.ts'
import {
  buildFlow,
  buildPairing,
  MINUTE,
  storeAccount,
  storeExchange,
  storeGrantedSession,
} from './atproto-builders.ts'
import { atOnce, HOUR, NOW } from './builders.ts'
import { ENGINES, type TestDatabase } from './engines.ts'

const DAY = 24 * HOUR

describe.each(ENGINES)('what is kept of ATProto, on $name', (engine) => {
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

  const either = (index: number) => (index % 2 === 0 ? storage : other).atproto

  describe('a flow', () => {
    it('comes back as it was stored, and looking takes nothing', async () => {
      const flow = buildFlow({
        kind: 'developer_token',
        session_id: 'session',
        user_id: 7,
        did: 'did:plc:abc',
        prompted: true,
        return_to: '/x',
        token_name: 'name',
        token_days: 90,
        pairing_id: 'pairing',
      })
      const plain = buildFlow()
      for (const one of [flow, plain]) {
        await storage.atproto.createFlow(one)
        expect(await other.atproto.findFlow(one.state_hash)).toEqual(one)
        expect(await other.atproto.takeFlow(one.state_hash)).toEqual(one)
        expect(await storage.atproto.findFlow(one.state_hash)).toBeUndefined()
      }
      expect(await storage.atproto.takeFlow('unknown')).toBeUndefined()
    })

    it('is taken by one of twenty at once, expired or not', async () => {
      for (const expires_at of [NOW + MINUTE, NOW - HOUR]) {
        const flow = buildFlow({ expires_at })
        await storage.atproto.createFlow(flow)
        const taken = await atOnce(20, (index) => either(index).takeFlow(flow.state_hash))
        expect(taken.filter((one) => one !== undefined)).toEqual([flow])
      }
    })
  })

  describe('a pairing', () => {
    const store = async (fields: Parameters<typeof buildPairing>[0] = {}) => {
      const pairing = buildPairing(fields)
      await storage.atproto.createPairing(pairing)
      return pairing
    }

    it('is found while it waits by its code, and by its browser, who may have begun another', async () => {
      const first = await store()
      const { pairing_id, code_hash, nonce_hash } = first
      const waiting = { ...first, state: 'waiting', reason: null, sealed_token: null }
      expect(await other.atproto.findPairing(pairing_id)).toEqual(waiting)
      expect(await other.atproto.pairingWithCode(code_hash, NOW)).toEqual(waiting)
      expect(await other.atproto.pairingOfBrowser(nonce_hash, NOW)).toEqual(waiting)
      expect(await storage.atproto.pairingWithCode(code_hash, first.expires_at)).toBeUndefined()
      expect(await storage.atproto.pairingOfBrowser(nonce_hash, first.expires_at)).toBeUndefined()
      const second = await store({ nonce_hash, expires_at: first.expires_at + 1 })
      expect((await storage.atproto.pairingOfBrowser(nonce_hash, NOW))?.pairing_id).toBe(second.pairing_id)
      await storage.atproto.approvePairing(pairing_id, NOW)
      expect(await storage.atproto.pairingWithCode(code_hash, NOW)).toBeUndefined()
      await storage.atproto.deletePairing(pairing_id)
      expect(await storage.atproto.findPairing(pairing_id)).toBeUndefined()
    })

    it('goes from step to step once, and its token to one browser, of twenty at once each', async () => {
      const { pairing_id } = await store()
      const end = { sealed_token: 'sealed' }
      expect(await storage.atproto.finishPairing(pairing_id, end, NOW)).toBe(false)
      const approved = await atOnce(20, (index) => either(index).approvePairing(pairing_id, NOW))
      expect(approved.filter(Boolean)).toHaveLength(1)
      expect(await storage.atproto.takePairedToken(pairing_id, NOW)).toBeUndefined()
      const finished = await atOnce(20, (index) => either(index).finishPairing(pairing_id, end, NOW))
      expect(finished.filter(Boolean)).toHaveLength(1)
      const taken = await atOnce(20, (index) => either(index).takePairedToken(pairing_id, NOW))
      expect(taken.filter((one) => one !== undefined)).toEqual(['sealed'])
      expect(await storage.atproto.findPairing(pairing_id)).toMatchObject({ state: 'done', sealed_token: null })
    })

    it('keeps why it was refused, and has no token then', async () => {
      const { pairing_id } = await store()
      await storage.atproto.approvePairing(pairing_id, NOW)
      expect(await storage.atproto.finishPairing(pairing_id, { reason: 'DID_MISMATCH' }, NOW)).toBe(true)
      expect(await storage.atproto.findPairing(pairing_id)).toMatchObject({ state: 'refused', reason: 'DID_MISMATCH' })
      expect(await storage.atproto.takePairedToken(pairing_id, NOW)).toBeUndefined()
    })

    it('takes no step once it has expired', async () => {
      const { pairing_id, expires_at } = await store()
      expect(await storage.atproto.approvePairing(pairing_id, expires_at)).toBe(false)
      await storage.atproto.approvePairing(pairing_id, NOW)
      expect(await storage.atproto.finishPairing(pairing_id, { sealed_token: 'one' }, expires_at)).toBe(false)
      await storage.atproto.finishPairing(pairing_id, { sealed_token: 'one' }, NOW)
      expect(await storage.atproto.takePairedToken(pairing_id, expires_at)).toBeUndefined()
    })
  })

  it('client keys are added by one of twenty at once, and go when nothing needs them, never the newest', async () => {
    const key = (kid: string, created_at: number) => ({ kid, sealed: kid, created_at })
    const kids = async () => (await other.atproto.clientKeys()).map(({ kid }) => kid)
    const flows = buildFlow({ expires_at: NOW + 500 * DAY })
    await storage.atproto.sweep(NOW + 100 * DAY)
    const added = await atOnce(20, (index) => either(index).addClientKey(key(`a${index}`, NOW), NOW - DAY))
    expect(added.filter(Boolean)).toHaveLength(1)
    const [first = ''] = await kids()
    expect(await storage.atproto.addClientKey(key('b', NOW + DAY), NOW)).toBe(false)
    expect(await storage.atproto.addClientKey(key('b', NOW + DAY), NOW + 1)).toBe(true)
    expect(await storage.atproto.addClientKey(key('c', NOW + 2 * DAY), NOW + 2 * DAY)).toBe(true)
    expect(await storage.atproto.clientKeys()).toEqual([
      key('c', NOW + 2 * DAY),
      key('b', NOW + DAY),
      { kid: first, sealed: first, created_at: NOW },
    ])
    const { grant_id } = await storeGrantedSession(storage, await storeAccount(storage), { kid: first })
    await storage.atproto.createFlow(flows)
    // The first is a grant's, and the second might be the flow's: it has no successor of before that time.
    await storage.atproto.removeOldClientKeys(NOW + 2 * DAY)
    expect(await kids()).toEqual(['c', 'b', first])
    await storage.atproto.removeOldClientKeys(NOW + 2 * DAY + 1)
    expect(await kids()).toEqual(['c', first])
    await storage.atproto.endGrant(grant_id)
    await storage.atproto.removeOldClientKeys(NOW + 1)
    expect(await kids()).toEqual(['c', first])
    await storage.atproto.takeFlow(flows.state_hash)
    await storage.atproto.removeOldClientKeys(NOW + 1)
    expect(await kids()).toEqual(['c'])
    await storage.atproto.removeOldClientKeys(NOW + 999 * DAY)
    expect(await kids()).toEqual(['c'])
  })

  it('a sweep forgets what has expired, and the grants are left to be revoked', async () => {
    const account = await storeAccount(storage)
    const far = NOW + 900 * DAY
    const stored = await Promise.all(
      [far - 1, far].map(async (expires_at) => {
        const [flow, pairing] = [buildFlow({ expires_at }), buildPairing({ expires_at })]
        await storage.atproto.createFlow(flow)
        await storage.atproto.createPairing(pairing)
        return { flow, pairing, exchange: await storeExchange(storage, account, { expires_at }) }
      }),
    )
    await storage.atproto.sweep(far)
    for (const [index, { flow, pairing, exchange }] of stored.entries()) {
      const { token_hash, nonce_hash, grant_id } = exchange
      const left = [
        await other.atproto.findFlow(flow.state_hash),
        await other.atproto.findPairing(pairing.pairing_id),
        await other.atproto.showExchange(token_hash, nonce_hash, NOW),
      ]
      expect(left.map((one) => one !== undefined)).toEqual(Array(3).fill(index === 1))
      expect(await other.atproto.findGrant(grant_id)).toBeDefined()
    }
  })
})
