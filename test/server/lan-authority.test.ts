import { randomBytes, X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createConfig } from '../../server/config.ts'
import { createLan } from '../../server/lan/lan.ts'
import { createLog } from '../../server/log.ts'
import { buildSuperuser, dataOf } from '../helpers/visitor.ts'
import { at, authorityOf, buildNetwork, startInNetwork, type TestNetwork } from './network.ts'

/** The network alone, switched by `wanted`, behind a listener that serves all addresses. */
async function buildLan(network: TestNetwork) {
  const dataDirectory = await mkdtemp(join(tmpdir(), 'latchkey-test-'))
  const wanted = { is: true }
  const lan = createLan({
    config: createConfig({ dataDirectory }, {}),
    isWanted: () => wanted.is,
    clock: Date.now,
    random: randomBytes,
    log: createLog({ level: 'fatal' }).log,
    made: () => undefined,
    outside: network.outside,
  })
  const take = () => undefined
  await lan.start({ port: 8787, take, closeIdle: take, isServed: () => true, loopback: undefined })
  onTestFinished(async () => {
    await lan.stop()
    await rm(dataDirectory, { recursive: true })
  })
  return { lan, wanted, fingerprint: () => lan.authority()?.parsed.fingerprint256 }
}

test('a wish for a new authority that meets the switching off is answered, and not fulfilled at the next switching on', async () => {
  const { lan, wanted, fingerprint } = await buildLan(buildNetwork(at('127.6.0.5')))
  const first = lan.makeAuthority()
  wanted.is = false
  const second = lan.makeAuthority()
  const made = await first
  expect(made).toEqual({ fingerprint: expect.stringMatching(/^([0-9A-F]{2}:){31}/) })
  expect(await second).toBe('off')
  wanted.is = true
  await lan.reconcile()
  expect({ fingerprint: fingerprint() }).toEqual(made)
})

test('a wish for a new authority is answered where the network cannot be followed, and is not kept', async () => {
  const network = buildNetwork(at('127.6.0.6'))
  const { addresses = () => [] } = network.outside
  let fails = false
  network.outside.addresses = () => {
    if (fails) throw new Error('no interfaces today')
    return addresses()
  }
  const { lan, fingerprint } = await buildLan(network)
  const before = fingerprint()
  fails = true
  expect(await lan.makeAuthority()).toBe('unwritable')
  fails = false
  await lan.reconcile()
  expect(fingerprint()).toBe(before)
})

test('a wish for a new authority that meets the end of the server is answered', async () => {
  const { lan } = await buildLan(buildNetwork(at('127.6.0.7')))
  const first = lan.makeAuthority()
  const second = lan.makeAuthority()
  await lan.stop()
  expect(await first).toMatchObject({ fingerprint: expect.any(String) })
  expect(await second).toBe('off')
})

test('the audit holds which authority was made, also when it is switched off in that moment', async () => {
  const network = buildNetwork(at('127.6.0.8'))
  let whenLookedAt = () => {}
  network.outside.addresses = () => {
    whenLookedAt()
    return network.addresses
  }
  const server = await startInNetwork(network)
  onTestFinished(() => server.end())
  const admin = await buildSuperuser(server)
  await server.switchLan(true)
  let off: Promise<unknown> | undefined
  whenLookedAt = () => void (off ??= server.switchLan(false))
  dataOf(await admin.client.lan.makeAuthority())
  await off
  const { items } = dataOf(await admin.client.audit.list({ query: { event: 'authority_made' } }))
  const { fingerprint256 } = new X509Certificate(await authorityOf(server))
  expect(items[0]).toMatchObject({ actor: 'ann', detail: { fingerprint: fingerprint256 } })
})

test('a machine whose name is a whole domain of the internet gets no authority over the others in it', async () => {
  const network = buildNetwork(at('127.2.1.6'))
  const start = (hostname: string) =>
    startInNetwork({ ...network, outside: { ...network.outside, hostname } }, { config: { lan: true } })
  const whole = await start('acme.com')
  onTestFinished(() => whole.end())
  expect(whole.lan().authority?.covers).toContain('acme.local')
  expect(whole.lan().authority?.covers).not.toContain('acme.com')
  const one = await start('desk.acme.com')
  onTestFinished(() => one.end())
  expect(one.lan().authority?.covers).toContain('desk.acme.com')
})
