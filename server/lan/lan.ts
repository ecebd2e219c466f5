import type { Socket } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { LanStatus } from '../../api/lan.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { hostsOf, inUrl, type LanAddress, lanAddresses } from './addresses.ts'
import { type Announce, announceByThread } from './announce.ts'
import { createAnnouncer } from './announcer.ts'
import { type AuthorityShown, type Certificates, type LanProblem, reasonOf, type Wanted } from './certificates.ts'
import { createDevices, type Device } from './devices.ts'
import type { Doors } from './doors.ts'
import { statusOf } from './status.ts'

/** Milliseconds between looks at the machine's addresses and the certificate. */
const EVERY = 3_000
/** Milliseconds that whoever switches waits for it to be done. */
const LONGEST_WAIT = 5_000

/** The names that may be announced, in the order in which they are tried. */
const NAMES = ['latchkey', 'latchkey-2', 'latchkey-3', 'latchkey-4', 'latchkey-5'] as const

/** Being reached by other machines of the network. */
export interface Lan {
  status(): LanStatus
  /** Makes everything as it should be now. Does not reject: what is wrong stands in the status. */
  reconcile(): Promise<void>
  /** Makes a new authority in the place of the old one, whatever became of that. */
  makeAuthority(): Promise<'done' | 'off' | 'own_certificate' | 'unwritable'>
  /** The authority that devices are to trust, while we are reachable with a certificate of it. */
  authority(): AuthorityShown | undefined
  /** Names and addresses by which the network may call us. */
  hosts(): readonly string[]
  /** Where other machines reach us best: `https://address:port`; undefined where they do not. */
  address(): string | undefined
  /** This device reached us trusted. */
  noteDevice(device: Omit<Device, 'trusted_at'>): void
}

/** What the listener that we were started with gives. */
export interface Listeners {
  port: number
  /** Takes a connection of HTTP. */
  take: (socket: Socket) => void
  /** Has idle connections end, where a listener was closed. */
  closeIdle: () => void
  /** Whether it takes the connections of this address already. */
  isServed: (address: string) => boolean
  /** Where to listen besides, so that browsers of this machine reach us on loopback. */
  loopback: string | undefined
}

export interface StartedLan extends Lan {
  start(listeners: Listeners): Promise<void>
  /** The handshake for the listener that we were started with. */
  tls: Doors['tls']
  /** Takes no more connections, says goodbye, and resolves when the last connection is gone. */
  stop(): Promise<void>
  cutOff(): void
}

export interface LanParts {
  config: Pick<Config, 'host' | 'lan' | 'tlsCert' | 'tlsKey' | 'dataDirectory'>
  /** Whether the setting says so. */
  isWanted: () => boolean
  clock: () => number
  random: (bytes: number) => Buffer
  log: Log
  /** A first authority was made. */
  made: (fingerprint: string) => void
  outside: LanOutside
}

/** What tests replace. */
export interface LanOutside {
  addresses?: () => LanAddress[]
  announce?: Announce
  hostname?: string
}

export function createLan({ config, isWanted, clock, random, log, made, outside }: LanParts): StartedLan {
  const {
    addresses: listAddresses = () => lanAddresses(networkInterfaces(), config.host),
    announce = announceByThread((line) => log.debug({ event: 'announce', line })),
  } = outside
  const hosts = hostsOf(outside.hostname ?? hostname())
  const devices = createDevices()
  const announcer = createAnnouncer({
    announce,
    names: NAMES,
    service: `Latchkey on ${hosts[0] ?? 'this machine'}`,
    clock,
    renamed: () => void reconcile(),
  })
  let on = false
  let listeners: Listeners | undefined
  let certificates: Certificates | undefined
  let doors: Doors | undefined
  let addresses: LanAddress[] = []
  let failure: LanProblem | undefined
  const replacing: ((done: boolean) => void)[] = []
  let flight: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined

  const wanted = (): Wanted => ({ name: announcer.name() ?? `${NAMES[0]}.local`, hosts, addresses })

  async function follow(given: Listeners): Promise<void> {
    // Taken now: a failure on the way must not leave the wish behind, to be fulfilled when nobody expects it.
    const waiting = replacing.splice(0)
    on = true
    addresses = listAddresses()
    certificates ??= await createCertificates({ config, clock, random, made })
    if (waiting.length > 0) {
      const done = await certificates.replace(wanted())
      for (const tell of waiting) tell(done)
    } else await certificates.refresh(wanted())
    doors ??= (await import('./doors.ts')).createDoors(given.take)
    const shown = certificates.shown()
    doors.show(shown)
    const unserved = addresses.map(({ address }) => address).filter((address) => !given.isServed(address))
    const loopback = given.loopback === undefined ? [] : [given.loopback]
    await doors.follow([...loopback, ...(shown ? unserved : [])], given.port)
    await announcer.follow(given.port, reachable())
  }

  /** Goes off the network; what is under way is answered. */
  async function leave(given: Listeners): Promise<void> {
    if (!on) return
    on = false
    addresses = []
    doors?.show(undefined)
    await doors?.follow([], given.port)
    given.closeIdle()
    await announcer.follow(given.port, [])
  }

  /** The addresses where somebody answers over TLS, those first whose certificate browsers take. */
  function reachable(): LanAddress[] {
    if (!on || !certificates?.shown()) return []
    const uncovered = certificates.uncovered()
    const answers = ({ address }: LanAddress) =>
      doors?.open().includes(address) === true || listeners?.isServed(address) === true
    const isCovered = ({ address }: LanAddress) => !uncovered.includes(address)
    return [
      ...addresses.filter((one) => answers(one) && isCovered(one)),
      ...addresses.filter((one) => answers(one) && !isCovered(one)),
    ]
  }

  /** Never two at a time; whoever asks meanwhile gets one more. */
  function reconcile(): Promise<void> {
    again = true
    flight ??= fly().finally(() => (flight = undefined))
    return flight
  }

  async function fly(): Promise<void> {
    while (again) {
      again = false
      if (!listeners) return
      try {
        await (config.lan || isWanted() ? follow(listeners) : leave(listeners))
        failure = undefined
      } catch (error) {
        const detail = reasonOf(error)
        // It is tried again every few seconds.
        if (failure?.detail !== detail) log.error({ err: error }, 'the network could not be followed')
        failure = { code: 'failed', detail }
      }
    }
  }

  return {
    async start(given) {
      listeners = given
      await reconcile()
      timer = setInterval(() => {
        if (on || config.lan || isWanted()) void reconcile()
      }, EVERY)
      timer.unref()
    },
    reconcile: () => Promise.race([reconcile(), later(LONGEST_WAIT)]),
    tls: () => doors?.tls(),
    async makeAuthority() {
      if (!on || addresses.length === 0) return 'off'
      if (certificates?.source === 'files') return 'own_certificate'
      const replaced = new Promise<boolean>((resolve) => replacing.push(resolve))
      await reconcile()
      return (await Promise.race([replaced, Promise.resolve(false)])) ? 'done' : 'unwritable'
    },
    authority: () => (on ? certificates?.authority() : undefined),
    hosts: () => {
      if (!on) return []
      const announced = announcer.name()
      const fromFiles = certificates?.source === 'files' ? (certificates.shown()?.names ?? []) : []
      return [...hosts, ...(announced ? [announced] : []), ...addresses.map(({ address }) => address), ...fromFiles]
    },
    address: () => {
      const [best] = reachable()
      return best && listeners && `https://${inUrl(best.address)}:${listeners.port}`
    },
    noteDevice: (device) => devices.note({ ...device, trusted_at: clock() }),
    status: () =>
      statusOf({
        on,
        forced: config.lan,
        port: listeners?.port ?? 0,
        reachable: reachable(),
        hasAddress: addresses.length > 0,
        name: announcer.name(),
        certificates: on ? certificates : undefined,
        problems: on
          ? [...(doors?.problems() ?? []), ...announcer.problems(), ...(failure ? [failure] : [])]
          : failure
            ? [failure]
            : [],
        devices: devices.list(),
      }),
    async stop() {
      clearInterval(timer)
      listeners = undefined
      await flight
      await announcer.follow(0, [])
      await doors?.close()
    },
    cutOff: () => doors?.cutOff(),
  }
}

type CertificateParts = Pick<LanParts, 'config' | 'clock' | 'random' | 'made'>

async function createCertificates({ config, clock, random, made }: CertificateParts): Promise<Certificates> {
  const { tlsCert: certificate, tlsKey: key, dataDirectory } = config
  if (certificate !== undefined && key !== undefined) {
    const { createCertificateFiles } = await import('./certificate-files.ts')
    return createCertificateFiles({ certificate, key }, clock)
  }
  const { createOwnAuthority } = await import('./own-authority.ts')
  const names = NAMES.map((name) => `${name}.local`)
  return createOwnAuthority({ directory: join(dataDirectory, 'tls'), names, clock, random, made })
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}
