import { hostname } from 'node:os'
import type { LanStatus } from '../api/lan.ts'
import { createApp } from './app.ts'
import type { Config } from './config.ts'
import { createActs } from './control/acts.ts'
import { reachServer } from './control/channel.ts'
import { type Control, startControl } from './control/listen.ts'
import { premisesOf } from './control/premises.ts'
import type { Deps } from './deps.ts'
import { FROM_SERVER } from './domain/audit-entry.ts'
import { trimAudit } from './domain/audit-retention.ts'
import { startFollowingAudit } from './follow-audit.ts'
import { startFollowingSettings } from './follow-settings.ts'
import { type House, openHouse, type Outside } from './house.ts'
import { isLoopbackHost } from './http/client-address.ts'
import { isWildcard } from './lan/addresses.ts'
import type { StartedLan } from './lan/lan.ts'
import { listen, type Listening } from './listen.ts'
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
  /** Whether and how other machines of the network reach us. */
  lan(): LanStatus
  /** Switches that on or off, for good. */
  switchLan(on: boolean): Promise<LanStatus>
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
  const { deps, lan, tending } = house
  const { storage, clock, log } = deps
  const setupToken = (await storage.users.isSetUp()) ? undefined : deps.setupToken.mint()
  await deps.audit.append({ event: 'server_started', version: VERSION }, FROM_SERVER)
  warnOfHiddenClients(config, deps)
  await deps.userImports.start()
  const told = hostNames(config)
  const app = createApp(config, deps, () => [...told, ...lan.hosts()])
  const server = await listen(app.callback(), config, lan.tls).catch(async (error: unknown) => {
    await deps.userImports.stop()
    throw error
  })
  house.listensOn(server.port)
  await lan.start(listenersOf(server, config.host))
  await tending.start()
  const control = await openControl(config, house, server)
  const sweeping = startSweeping({ storage, clock, log, trimAudit: (isStopping) => trimAudit(deps, isStopping) })
  // The embedded database has no other writer.
  const following = storage.shared
    ? [
        startFollowingSettings(deps.liveSettings, () => void lan.reconcile(), log),
        startFollowingAudit(storage, deps.changes, log),
      ]
    : []
  log.info({ event: 'started', url: server.url, version: VERSION, audit_key: deps.auditSeal.key })
  return {
    url: server.url,
    setupToken,
    mintStartupToken: () => mintStartupToken(deps),
    lan: () => lan.status(),
    switchLan: (on) => switchLan(deps, on),
    stop: async () => {
      await control?.stop()
      for (const one of following) one.stop()
      await sweeping.stop()
      await tending.stop()
      deps.changes.stop()
      await deps.userImports.stop()
      await drain(server, lan)
      await house.close()
    },
  }
}

/** The owner's way in by the command line. Without it everything else still works. */
async function openControl(config: Config, house: House, { url, port }: Listening): Promise<Control | undefined> {
  const { log } = house.deps
  try {
    // With PostgreSQL two servers can share a directory; one of them is enough to ask.
    if (await reachServer(config.dataDirectory)) return undefined
    const acts = createActs(premisesOf(house, config, { url, running: { port } }))
    return await startControl(config.dataDirectory, acts, log)
  } catch (error) {
    log.warn({ err: error }, 'the command line cannot reach this server')
    return undefined
  }
}

/** Behind a proxy that nobody named all clients have its address: neither limits nor networks can tell them apart. */
function warnOfHiddenClients({ publicUrl, host, trustedProxies }: Config, { log, settings }: Deps): void {
  if (publicUrl === undefined || trustedProxies.length > 0 || settings().lan_enabled) return
  const { protocol, hostname } = new URL(publicUrl)
  if (isLoopbackHost(hostname.replace(/[[\]]/g, '')) || (protocol === 'http:' && !isLoopbackHost(host))) return
  log.warn(
    { event: 'clients_hidden', public_url: publicUrl },
    'a public URL, but no trusted proxy: what stands before this server must be named with --trusted-proxy',
  )
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
  // A wildcard names nobody, and browsers take it to mean this machine.
  const listened = isWildcard(config.host) ? [] : [config.host]
  const told = [...listened, hostname()].map((name) => name.toLowerCase())
  return config.publicUrl === undefined ? told : [...told, new URL(config.publicUrl).hostname]
}

/** What the network's own listeners need to know of the one that we were started with. */
function listenersOf({ http, port, take }: Listening, host: string) {
  const isOurs = isLoopbackHost(host)
  return {
    port,
    take,
    closeIdle: () => http.closeIdleConnections(),
    isServed: (address: string) => host === '::' || host === address || (host === '0.0.0.0' && !address.includes(':')),
    loopback: isOurs || isWildcard(host) ? undefined : '127.0.0.1',
  }
}

async function switchLan({ liveSettings, lan, audit, clock }: Deps, on: boolean): Promise<LanStatus> {
  const changed = await liveSettings.change({ lan_enabled: on }, clock())
  if ('changes' in changed) await audit.append({ event: 'settings_changed', changes: changed.changes }, FROM_SERVER)
  await lan.reconcile()
  return lan.status()
}

/** Answers what is under way; what takes too long is cut off. */
async function drain(server: Listening, lan: StartedLan): Promise<void> {
  const cutOff = setTimeout(() => {
    lan.cutOff()
    server.cutOff()
  }, LONGEST_DRAIN)
  // A connection that was kept alive becomes idle only after its last answer.
  const letGo = setInterval(() => server.http.closeIdleConnections(), 50)
  await Promise.all([server.close(), lan.stop()])
  clearInterval(letGo)
  clearTimeout(cutOff)
}
