import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createGrants, type Grants } from '../../server/domain/grants.ts'
import { type Provider, RefreshFault } from '../../server/domain/provider.ts'
import type { Vault } from '../../server/domain/vault.ts'
import { openStorage } from '../../server/storage/open.ts'
import type { Storage } from '../../server/storage/port.ts'
import { buildClock, type TestClock } from '../helpers/server.ts'
import { storeAccount, storeGrantedSession } from '../storage/atproto-builders.ts'
import { HOUR, NOW } from '../storage/builders.ts'

let directory: string
let storage: Storage
let clock: TestClock
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-grants-'))
  storage = await openStorage({ directory, log: () => undefined })
  clock = buildClock(NOW)
})
afterEach(async () => {
  await storage.close()
  await rm(directory, { recursive: true, force: true })
})

/** Looks after the grants of the database, with a provider that does nothing but what is said here. */
function build(provider: Partial<Provider>, vault?: Vault): { grants: Grants; failures: unknown[] } {
  const failures: unknown[] = []
  const unasked = () => Promise.reject(new Error('nobody asks for this'))
  const asked: Provider = {
    identify: unasked,
    begin: unasked,
    finish: unasked,
    refresh: unasked,
    revoke: unasked,
    clientMetadata: unasked,
    clientKeys: unasked,
    reach: 'loopback',
    offers: () => undefined,
    ...provider,
  }
  const grants = createGrants({
    storage,
    provider: asked,
    vault: vault ?? { seal: (plain) => plain, open: (sealed) => sealed },
    clock,
    record: () => undefined,
    failed: (error) => failures.push(error),
    wait: () => Promise.resolve(),
  })
  return { grants, failures }
}

const goOn = () => false

test('fifty grants whose provider is gone do not keep others from being renewed, and are tried again later', async () => {
  const [gone, here] = [await storeAccount(storage), await storeAccount(storage)]
  for (let made = 0; made <= 50; made += 1)
    await storeGrantedSession(storage, made < 50 ? gone : here, { refreshed_at: NOW - 48 * HOUR + made })
  const asked: string[] = []
  const { grants } = build({
    refresh(did) {
      asked.push(did)
      return did === gone.did ? Promise.reject(new RefreshFault('unsent', 'gone')) : Promise.resolve()
    },
  })
  await grants.tend(goOn)
  expect(asked).toEqual(Array(50).fill(gone.did))
  await grants.tend(goOn)
  expect(asked.slice(50)).toEqual([here.did])
  clock.advance(HOUR + 1)
  await grants.tend(goOn)
  expect(asked.slice(51)).toContain(gone.did)
})

test('a grant that cannot be opened any more does not keep others from being given back', async () => {
  const account = await storeAccount(storage)
  const made = [await storeGrantedSession(storage, account), await storeGrantedSession(storage, account)]
  for (const { session } of made) await storage.sessions.revoke(session.session_id, account.user_id, NOW)
  const broken = made.map(({ session, grant_id }) => ({ session_id: session.session_id, grant_id }))
  broken.sort((one, other) => (one.session_id < other.session_id ? -1 : 1))
  const revoked: string[] = []
  const { grants, failures } = build(
    { revoke: (did) => Promise.resolve(void revoked.push(did)) },
    {
      seal: (plain) => plain,
      open(sealed, purpose) {
        if (purpose === `grant ${broken[0]?.grant_id}`) throw new Error('sealed with another key')
        return sealed
      },
    },
  )
  await grants.tend(goOn)
  expect(revoked).toEqual([account.did])
  expect(failures.map(String)).toEqual(['Error: sealed with another key'])
  for (const { grant_id } of broken) expect(await storage.atproto.findGrant(grant_id)).toBeUndefined()
})
