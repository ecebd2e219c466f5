import type { Settings } from '../api/settings.ts'
import { clientAddressOf } from './atproto/client-address.ts'
import { createProvider } from './atproto/provider.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { createClientKeys } from './domain/client-keys.ts'
import type { RecordEvent } from './domain/events.ts'
import { createExchange } from './domain/exchange.ts'
import { createFlows } from './domain/flows.ts'
import { createGrants } from './domain/grants.ts'
import type { Random } from './domain/one-time-secret.ts'
import { createPace } from './domain/pace.ts'
import { createPairing } from './domain/pairing.ts'
import type { Sessions } from './domain/sessions.ts'
import type { Vault } from './domain/vault.ts'
import type { Log } from './log.ts'
import type { Storage } from './storage/port.ts'
import { createGrantTending, type GrantTending } from './tend-grants.ts'

interface AtprotoParts {
  config: Config
  storage: Storage
  sessions: Sessions
  vault: Vault
  clock: () => number
  random: Random
  settings: () => Settings
  log: Log
  record: RecordEvent
  /** The port that we listen on, once we do. */
  port: () => number
  /** We listen on loopback besides the address that the config names. */
  alsoOnLoopback: () => boolean
}

type AtprotoDeps = Pick<
  Deps,
  'provider' | 'flows' | 'exchange' | 'grants' | 'pairing' | 'pace' | 'tendGrants' | 'loopbackUrl'
>

/** Everything that ATProto sign-in is made of. */
export function composeAtproto(parts: AtprotoParts): { deps: AtprotoDeps; tending: GrantTending } {
  const { config, storage, sessions, vault, clock, random, settings, log, record, port, alsoOnLoopback } = parts
  const clientKeys = createClientKeys({ storage, vault, clock, random })
  const address = () => clientAddressOf(config.publicUrl, alsoOnLoopback() ? '127.0.0.1' : config.host, port())
  const failed = (error: unknown) => log.warn({ err: error }, 'a provider of ATProto accounts was not of use')
  const provider = createProvider({
    address,
    keys: clientKeys,
    requiredScopes: () => settings().atproto_scopes,
    resolver: config.atprotoResolver,
    plc: config.atprotoPlc,
    allowPrivate: config.atprotoPrivate,
  })
  const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds))
  const grants = createGrants({ storage, provider, vault, clock, record, failed, wait })
  const tending = createGrantTending({ storage, grants, clientKeys, log })
  const handleOf = async (did: string) => {
    const identity = await provider.identify(did).catch(failed)
    return identity?.handle ?? null
  }
  return {
    tending,
    deps: {
      provider,
      grants,
      flows: createFlows({ storage, provider, grants, vault, clock, random, settings, failed }),
      exchange: createExchange({ storage, sessions, clock, random, handleOf }),
      pairing: createPairing({ storage, vault, clock, random }),
      pace: createPace({ storage, clock }),
      tendGrants: tending.soon,
      loopbackUrl: () => {
        const at = address()
        return at.reach === 'loopback' ? new URL(at.redirectUri).origin : `http://127.0.0.1:${port()}`
      },
    },
  }
}
