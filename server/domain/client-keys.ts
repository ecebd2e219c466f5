import { generateKeyPairSync, type JsonWebKey } from 'node:crypto'
import type { Storage } from '../storage/port.ts'
import type { Random } from './one-time-secret.ts'
import type { Vault } from './vault.ts'

const DAY = 86_400_000
/** The newest key signs; after this long another follows it. */
const KEY_LIFE = 90 * DAY

/** A private ES256 key by which this server proves itself to providers. */
export interface ClientKey {
  kid: string
  jwk: JsonWebKey & { kid: string; alg: 'ES256' }
}

export interface ClientKeys {
  /** The newest first; those before it stay as long as a grant was made with them, because it is renewed with the same. */
  all(): Promise<readonly ClientKey[]>
  /** Forgets keys that nothing needs any more. */
  sweep(): Promise<void>
}

interface ClientKeysDeps {
  storage: Storage
  vault: Vault
  clock: () => number
  random: Random
}

/** Kept in the database, sealed with a key that is not there: so all servers of one database prove themselves alike. */
export function createClientKeys({ storage, vault, clock, random }: ClientKeysDeps): ClientKeys {
  async function add(): Promise<void> {
    const kid = random(8).toString('hex')
    const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
    const sealed = vault.seal(JSON.stringify(jwk), purposeOf(kid))
    await storage.atproto.addClientKey({ kid, sealed, created_at: clock() }, clock() - KEY_LIFE)
  }

  return {
    async all() {
      const [newest] = await storage.atproto.clientKeys()
      if (!newest || newest.created_at <= clock() - KEY_LIFE) await add()
      const stored = await storage.atproto.clientKeys()
      return stored.map(({ kid, sealed }) => {
        const jwk: JsonWebKey = JSON.parse(vault.open(sealed, purposeOf(kid)))
        return { kid, jwk: { ...jwk, kid, alg: 'ES256' as const } }
      })
    },
    sweep: () => storage.atproto.removeOldClientKeys(clock() - KEY_LIFE),
  }
}

function purposeOf(kid: string): string {
  return `client key ${kid}`
}
