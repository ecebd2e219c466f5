import type { Server } from 'node:http'
import { hostname } from 'node:os'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import type { Deps } from './deps.ts'
import { FROM_SERVER } from './domain/audit-entry.ts'
import { trimAudit } from './domain/audit-retention.ts'
import { startFollowingAudit } from './follow-audit.ts'
import { startFollowingSettings } from './follow-settings.ts'
import { type House, openHouse, type Outside } from './house.ts'
import { listen } from './listen.ts'
import { startSweeping } from './sweep.ts'
import { VERSION } from './version.ts'

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

/** Starts a server: opens the house, listens, and begins the work that a house does by itself. */
export async function start(config: Config, outside: Outside = {}): Promise<RunningServer> {
  const house = await openHouse(config, outside)
  try {
    return await run(config, house)
  } catch (error) {
    await house.close()
    throw error
  }
}

async function run(config: Config, house: House): Promise<RunningServer> {
  const { deps, tending } = house
  const { storage, clock, log } = deps
  const setupToken = (await storage.users.isSetUp()) ? undefined : deps.setupToken.mint()
  await deps.audit.append({ event: 'server_started', version: VERSION }, FROM_SERVER)
  await deps.userImports.start()
  const app = createApp(config, deps, () => hostNames(config))
  const server = await listen(app.callback(), config).catch(async (error: unknown) => {
    await deps.userImports.stop()
    throw error
  })
  house.listensOn(server.port)
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
      await drain(server.http)
      await house.close()
    },
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

/** The names by which a request may call us, besides loopback: what we were told to listen on or to be known as. */
function hostNames(config: Config): string[] {
  const told = [config.host, hostname()].map((name) => name.toLowerCase())
  return config.publicUrl === undefined ? told : [...told, new URL(config.publicUrl).hostname]
}

/** Answers what is under way; what takes too long is cut off. */
async function drain(http: Server): Promise<void> {
  const cutOff = setTimeout(() => http.closeAllConnections(), LONGEST_DRAIN)
  // A connection that was kept alive becomes idle only after its last answer.
  const letGo = setInterval(() => http.closeIdleConnections(), 50)
  await new Promise<void>((resolve) => http.close(() => resolve()))
  clearInterval(letGo)
  clearTimeout(cutOff)
}
