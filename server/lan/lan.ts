import type { Socket } from 'node:net'
import { hostname, networkInterfaces } from 'node:os'
import type { LanStatus } from '../../api/lan.ts'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { hostsOf, inUrl, type LanAddress, lanAddresses } from './addresses.ts'
import { type Announce, announceByThread } from './announce.ts'
import { createAnnouncer } from './announcer.ts'
import { type AuthorityShown, type Certificates, type LanProblem, reasonOf, type Wanted } from './certificates.ts'
import { createDevices, type Device } from './devices.ts'
import type { Doors } from './doors.ts'
import { createCertificates, openDoors } from './when-needed.ts'
import { statusOf } from './status.ts'

/** Milliseconds between looks at the machine's addresses and the certificate. */
const EVERY = 3_000
/** Milliseconds that whoever switches waits for it to be done. */
const LONGEST_WAIT = 5_000

/** The names that may be announced, in the order in which they are tried. */
const NAMES = ['latchkey', 'latchkey-2', 'latchkey-3', 'latchkey-4', 'latchkey-5'] as const
const LOCAL_NAMES = NAMES.map((name) => `${name}.local`)

type Replaced = { fingerprint: string } | 'off' | 'unwritable'

/** Being reached by other machines of the network. */
export interface Lan {
  status(): LanStatus
  /** Makes everything as it should be now. Does not reject: what is wrong stands in the status. */
  reconcile(): Promise<void>
  /** Makes a new authority in the place of the old one, whatever became of that. Tells which it was. */
  makeAuthority(): Promise<Replaced | 'own_certificate'>
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
  config: Pick<Config, 'host' | 'lan' | 'tlsCert' | 'tlsKey' | 'dataDirectory' | 'trustedProxies'>
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
  /** Who asked for a new authority and waits for the answer. */
  const replacing: ((answer: Replaced) => void)[] = []
  let flight: Promise<void> | undefined
  let again = false
  let timer: NodeJS.Timeout | undefined

  /** While nothing is announced, which is so after every change of addresses, the name is still the last one. */
  let lastName = `${NAMES[0]}.local`

  function wanted(): Wanted {
    lastName = announcer.name() ?? lastName
    return { name: lastName, hosts, addresses }
  }

  async function follow(given: Listeners, asked: typeof replacing): Promise<void> {
    on = true
    addresses = listAddresses()
    certificates ??= await createCertificates({ config, names: LOCAL_NAMES, clock, random, made })
    const fingerprint = asked.length > 0 ? await certificates.replace(wanted()) : undefined
    for (const tell of asked) tell(fingerprint === undefined ? 'unwritable' : { fingerprint })
    await certificates.refresh(wanted())
    doors ??= await openDoors(given.take, config.trustedProxies)
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
    flight ??= fly()
    return flight
  }

  async function fly(): Promise<void> {
    do {
      again = false
      // Answered in this round, whatever comes of it: a wish left behind would be fulfilled when nobody expects it.
      const asked = replacing.splice(0)
      const answer = await round(asked)
      for (const tell of asked) tell(answer)
    } while (again)
    // In the same breath: who asks from now on must find none under way.
    flight = undefined
  }

  /** Resolves with the answer for those who have none yet. */
  async function round(asked: typeof replacing): Promise<'off' | 'unwritable'> {
    if (!listeners) return 'off'
    const isOn = config.lan || isWanted()
    try {
      await (isOn ? follow(listeners, asked) : leave(listeners))
      failure = undefined
    } catch (error) {
      const detail = reasonOf(error)
      // It is tried again every few seconds.
      if (failure?.detail !== detail) log.error({ err: error }, 'the network could not be followed')
      failure = { code: 'failed', detail }
    }
    return isOn ? 'unwritable' : 'off'
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
      const replaced = new Promise<Replaced>((resolve) => replacing.push(resolve))
      await reconcile()
      return replaced
    },
    authority: () => (on ? certificates?.authority() : undefined),
    hosts: () => {
      if (!on) return []
      const fromFiles = certificates?.source === 'files' ? (certificates.shown()?.names ?? []) : []
      // All names at all times: others go on calling us by the one that we had before, and none is ours for a while
      // whenever the addresses change.
      return [...hosts, ...LOCAL_NAMES, ...addresses.map(({ address }) => address), ...fromFiles]
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

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref())
}
