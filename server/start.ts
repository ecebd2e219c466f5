import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import type { Server } from 'node:http'
import { availableParallelism, hostname } from 'node:os'
import { v7 } from 'uuid'
import { table } from '../api/index.ts'
import { createOpenApi } from '../api/openapi.ts'
import { createApp } from './app.ts'
import { composeAtproto } from './compose-atproto.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { createAccessBoard } from './domain/access.ts'
import { createAttempts } from './domain/attempts.ts'
import { type Audit, createAudit } from './domain/audit.ts'
import { FROM_SERVER } from './domain/audit-entry.ts'
import { trimAudit } from './domain/audit-retention.ts'
import { createAuditSeal } from './domain/audit-seal.ts'
import { createChanges } from './domain/changes.ts'
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
import type { RecordEvent } from './domain/events.ts'
import { startFollowingAudit } from './follow-audit.ts'
import { startFollowingSettings } from './follow-settings.ts'
import { openKeyring } from './keyring.ts'
import { listen } from './listen.ts'
import { createLog, type Log } from './log.ts'
import { openStorage } from './storage/open.ts'
import { StorageOpenError } from './storage/errors.ts'
import type { Storage } from './storage/port.ts'
import { startSweeping } from './sweep.ts'
import type { GrantTending } from './tend-grants.ts'
import { VERSION } from './version.ts'

/** Hashes that may wait for their turn; at 10 ms each on two threads the last waits about two seconds. */
const WAITING_HASHES = 400

/** Requests under way may take this long, in milliseconds, once the server was told to stop. */
const LONGEST_DRAIN = 10_000

export interface RunningServer {
  /** Where it answers, as a browser on this machine would open it. */
  url: string
  /** Until the first superuser exists: the one-time secret that makes him. */
  setupToken: string | undefined
  /** Mints a new startup token; the one before it ends. */
  mintStartupToken(): string
  /** Answers what is under way, writes what is pending, lets go of the database. */
  stop(): Promise<void>
}

/** What tests replace: time, randomness, and storage that fails or is overtaken at a chosen moment. */
export interface Outside {
  clock?: () => number
  random?: (bytes: number) => Buffer
  storage?: (storage: Storage) => Storage
}

/** The composition root: everything is built here, once, and handed down. */
export async function start(config: Config, outside: Outside = {}): Promise<RunningServer> {
  await makeDataDirectory(config.dataDirectory)
  const { log, close: closeLog } = createLog({
    level: config.logLevel,
    ...(config.logFile === '-' ? {} : { destination: config.logFile }),
  })
  const opened = await openStorage({
    database: config.database,
    directory: config.dataDirectory,
    log: (event, detail) => log.warn({ event, ...detail }, 'storage'),
  })
  const storage = outside.storage?.(opened) ?? opened
  try {
    const listening = { port: config.port }
    const { deps, tending } = await createDeps(config, storage, log, outside, () => listening.port)
    const setupToken = (await storage.users.isSetUp()) ? undefined : deps.setupToken.mint()
    await deps.audit.append({ event: 'server_started', version: VERSION }, FROM_SERVER)
    await deps.userImports.start()
    const app = createApp(config, deps, () => hostNames(config))
    const server = await listen(app.callback(), config).catch(async (error: unknown) => {
      await deps.userImports.stop()
      throw error
    })
    listening.port = server.port
    const { clock } = deps
    await tending.start()
    const sweeping = startSweeping({ storage, clock, log, trimAudit: (isStopping) => trimAudit(deps, isStopping) })
    // The embedded database has no other writer.
    const following = storage.shared
      ? [startFollowingSettings(deps.liveSettings, log), startFollowingAudit(storage, deps.changes, log)]
      : []
    log.info({ event: 'started', url: server.url, version: VERSION, audit_key: deps.auditSeal.key })
    return {
      url: server.url,
      setupToken,
      mintStartupToken: () => mintStartupToken(deps),
      stop: async () => {
        for (const one of following) one.stop()
        await sweeping.stop()
        await tending.stop()
        deps.changes.stop()
        await deps.userImports.stop()
        await stop(server.http, deps)
        await closeLog()
      },
    }
  } catch (error) {
    await storage.close()
    throw error
  }
}

/** One that the audit could not take up is worth nothing. */
function mintStartupToken({ startupToken, audit, log }: Deps): string {
  const event = { event: 'startup_token_minted' } as const
  const secret = startupToken.mint()
  log.info(event, 'security event')
  audit.append(event, FROM_SERVER).catch((error: unknown) => {
    startupToken.redeem(secret)
    log.error({ err: error }, 'the startup token was withdrawn: it could not be written into the audit')
  })
  return secret
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

async function createDeps(
  config: Config,
  storage: Storage,
  log: Log,
  outside: Outside,
  port: () => number,
): Promise<{ deps: Deps; tending: GrantTending }> {
  const { clock = () => Date.now(), random = (bytes: number) => randomBytes(bytes) } = outside
  const keyring = await openKeyring(config.dataDirectory, random, !(await storage.users.isSetUp()))
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
  const atproto = composeAtproto({ config, storage, sessions, vault, clock, random, settings, log, record, port })
  const deps: Deps = {
    ...atproto.deps,
    storage,
    sessions,
    attempts,
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
  }
  return { deps, tending: atproto.tending }
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

/** The names by which a request may call us, besides loopback: what we were told to listen on or to be known as. */
function hostNames(config: Config): string[] {
  const told = [config.host, hostname()].map((name) => name.toLowerCase())
  return config.publicUrl === undefined ? told : [...told, new URL(config.publicUrl).hostname]
}

async function stop(http: Server, { storage, audit, log }: Deps): Promise<void> {
  const cutOff = setTimeout(() => http.closeAllConnections(), LONGEST_DRAIN)
  // A connection that was kept alive becomes idle only after its last answer.
  const letGo = setInterval(() => http.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => http.close(() => resolve()))
  clearInterval(letGo)
  clearTimeout(cutOff)
  await audit.settled()
  await storage.close()
  log.info({ event: 'stopped' })
}

/** Done at the first use, and then remembered. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
