import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { v7 } from 'uuid'
import { table } from '../api/index.ts'
import { createOpenApi } from '../api/openapi.ts'
import { finishRestore } from './backup/places.ts'
import { composeAtproto } from './compose-atproto.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { createAccessBoard } from './domain/access.ts'
import { createAttempts } from './domain/attempts.ts'
import { type Audit, createAudit } from './domain/audit.ts'
import { FROM_SERVER } from './domain/audit-entry.ts'
import { createAuditSeal } from './domain/audit-seal.ts'
import { createChanges } from './domain/changes.ts'
import type { RecordEvent } from './domain/events.ts'
import { keysBelongTo } from './domain/key-check.ts'
import { createLoginTokens } from './domain/login-tokens.ts'
import { createMemorySecret } from './domain/memory-secret.ts'
import { createOwnPassword } from './domain/own-password.ts'
import { createPasswordHasher } from './domain/password-hashing.ts'
import { createPasswordPolicy } from './domain/password-policy.ts'
import { createSessionTokens } from './domain/session-token.ts'
import { createSessions } from './domain/sessions.ts'
import { createLiveSettings } from './domain/settings.ts'
import { createSetup } from './domain/setup.ts'
import { createSignIn } from './domain/sign-in.ts'
import { createSecondFactor } from './domain/totp.ts'
import { createUserImports } from './domain/user-imports.ts'
import { createVault } from './domain/vault.ts'
import { createAdminNetworks, isLoopbackHost } from './http/client-address.ts'
import { type Keyring, type KeyProtector, KeyringError, openKeyring } from './keyring.ts'
import { createLan, type LanOutside, type StartedLan } from './lan/lan.ts'
import { createLog, type Log } from './log.ts'
import { StorageOpenError } from './storage/errors.ts'
import { openStorage } from './storage/open.ts'
import type { Storage } from './storage/port.ts'
import type { GrantTending } from './tend-grants.ts'
import { VERSION } from './version.ts'

/** Hashes that may wait for their turn; at 10 ms each on two threads the last waits about two seconds. */
const WAITING_HASHES = 400

/** What tests replace: time, randomness, storage that fails or is overtaken at a chosen moment. And what only the desktop has. */
export interface Outside {
  /** Keeps the keyring from being read off the disk. Absent: a file that only its owner may read. */
  keyProtector?: KeyProtector | undefined
  clock?: () => number
  random?: (bytes: number) => Buffer
  storage?: (storage: Storage) => Storage
  lan?: LanOutside
}

/** Everything a server is made of, before it listens and without work of its own. */
export interface House {
  deps: Deps
  lan: StartedLan
  tending: GrantTending
  /** The port that we listen on, told once it is known: ATProto providers send browsers there. */
  listensOn(port: number): void
  /** The keys that we work with, as a file without protection would hold them, for backups. */
  keyringText(): string
  /** Writes what is pending and lets go of the database. */
  close(): Promise<void>
}

/**
 * Opens the data directory and builds everything, once. Rejects with `StorageOpenError` (`DATA_DIR_LOCKED` while another
 * process holds it) or `KeyringError`, and then holds nothing.
 */
export async function openHouse(config: Config, outside: Outside = {}): Promise<House> {
  const finished = await finishRestore(config.dataDirectory)
  await makeDataDirectory(config.dataDirectory)
  const { log, close: closeLog } = createLog({
    level: config.logLevel,
    ...(config.logFile === '-' ? {} : { destination: config.logFile }),
  })
  if (finished !== undefined) log.warn({ event: 'restore_finished', from: finished }, 'a restore had been killed')
  const opened = await openStorage({
    database: config.database,
    directory: config.dataDirectory,
    log: (event, detail) => log.warn({ event, ...detail }, 'storage'),
  })
  const storage = outside.storage?.(opened) ?? opened
  const listening = { port: config.port }
  try {
    const keyring = await openKeys(config, storage, outside)
    const { deps, lan, tending } = await createDeps({
      config,
      storage,
      keyring,
      log,
      outside,
      port: () => listening.port,
    })
    return {
      deps,
      lan,
      tending,
      listensOn: (port) => {
        listening.port = port
      },
      keyringText: () => keyring.text,
      close: async () => {
        await deps.audit.settled()
        await storage.close()
        log.info({ event: 'stopped' })
        await closeLog()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StorageOpenError(
      'DATA_DIR_UNREADABLE',
      `${directory} cannot be used as data directory: ${reason}. Choose another with --data-dir.`,
      { cause: error },
    )
  }
}

/** The keys of the directory. With those of another database every password would be wrong, and what is sealed lost. */
async function openKeys({ dataDirectory }: Config, storage: Storage, outside: Outside): Promise<Keyring> {
  const { random = (bytes: number) => randomBytes(bytes), keyProtector } = outside
  const keyring = await openKeyring(dataDirectory, random, !(await storage.users.isSetUp()), keyProtector)
  if (!(await keysBelongTo(storage, createVault(keyring.vault, random))))
    throw new KeyringError(
      `The keyring ${join(dataDirectory, 'keyring.json')} does not belong to this database. Restore it from a backup, or copy ` +
        'it from the other server.',
    )
  return keyring
}

interface Materials {
  config: Config
  storage: Storage
  keyring: Keyring
  log: Log
  outside: Outside
  port: () => number
}

async function createDeps({
  config,
  storage,
  keyring,
  log,
  outside,
  port,
}: Materials): Promise<{ deps: Deps; lan: StartedLan; tending: GrantTending }> {
  const { clock = () => Date.now(), random = (bytes: number) => randomBytes(bytes) } = outside
  const liveSettings = await createLiveSettings(storage)
  const settings = liveSettings.current
  const passwords = await createPasswordHasher({
    pepper: keyring.pepper,
    parallel: Math.min(availableParallelism(), 2) + 1, // one in reserve, so that no core waits for the loop to hand out the next
    waiting: WAITING_HASHES,
    random,
  })
  const policy = createPasswordPolicy()
  const changes = createChanges()
  const audit = createAudit({ storage, changes, clock })
  const startupToken = createMemorySecret(random, clock)
  const setupToken = createMemorySecret(random, clock)
  const sessions = createSessions({ storage, tokens: createSessionTokens(keyring.signing), clock, random, settings })
  const attempts = createAttempts({ storage, clock, settings })
  const vault = createVault(keyring.vault, random)
  const secondFactor = createSecondFactor({ storage, vault, clock, random })
  const record = recordOfServer(audit, log)
  const lan = createLan({
    config,
    isWanted: () => settings().lan_enabled,
    clock,
    random,
    log,
    made: (fingerprint) => record({ event: 'authority_made', fingerprint }),
    outside: outside.lan ?? {},
  })
  const atproto = composeAtproto({
    ...{ config, storage, sessions, vault, clock, random, settings, log, record, port },
    alsoOnLoopback: () => !isLoopbackHost(config.host) && lan.status().on,
  })
  const deps: Deps = {
    ...atproto.deps,
    storage,
    sessions,
    attempts,
    adminNetworks: createAdminNetworks(() => settings().admin_networks),
    passwords,
    policy,
    secondFactor,
    userImports: createUserImports({
      storage,
      sessions,
      clock,
      random,
      record,
      failed: (error) => log.error({ err: error }, 'the work on an import of users failed'),
    }),
    startupToken,
    setupToken,
    loginTokens: createLoginTokens({
      storage,
      clock,
      random,
      uuid: () => v7({ msecs: clock(), random: random(16) }),
      settings,
    }),
    access: createAccessBoard({ storage, startupToken, clock, settings }),
    changes,
    audit,
    auditSeal: createAuditSeal(keyring.auditSeal),
    liveSettings,
    settings,
    clock,
    random,
    log,
    isStorageFailure: (error) => storage.isUnavailable(error),
    signIn: createSignIn({
      storage,
      sessions,
      attempts,
      passwords,
      secondFactor,
      startupToken,
      clock,
      random,
      settings,
    }),
    setup: createSetup({ storage, sessions, passwords, policy, setupToken, clock, settings }),
    ownPassword: createOwnPassword({ storage, sessions, attempts, passwords, policy, clock, settings }),
    version: VERSION,
    openapi: once(() => createOpenApi(table, VERSION)),
    public_url: config.publicUrl,
    insecure_http: config.insecureHttp,
    lan,
  }
  return { deps, lan, tending: atproto.tending }
}

/** Writes down what the server does by itself. */
function recordOfServer(audit: Audit, log: Log): RecordEvent {
  return (event) => {
    log.info(event, 'security event')
    audit
      .append(event, FROM_SERVER)
      .catch((error: unknown) => log.error({ err: error }, 'an event is missing in the audit'))
  }
}

/** Done at the first use, and then remembered. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
