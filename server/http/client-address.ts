import { type BlockList, isIP } from 'node:net'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { bareAddress, blockListOf, contains, LOOPBACK } from '../address-list.ts'
import type { AdminNetworks } from '../domain/admission.ts'

/** Where a request came from and how, as far as it can be trusted. */
export interface ClientAddress {
  ip: string
  /** From this machine itself, and not through a proxy for somebody else. */
  loopback: boolean
  /** From this machine itself, and opened there by a name that only means it: certainly through no proxy. */
  at_machine: boolean
  /** The browser's own connection is encrypted. */
  secure: boolean
}

/** IPv4 in the dress of IPv6. */
const MAPPED = blockListOf(['::ffff:0:0/96'])

/** What proxies add, when they add anything. */
const BY_PROXIES = [
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-real-ip',
  'forwarded',
  'via',
] as const

type Peer = Omit<ClientAddress, 'at_machine'>

/**
 * Reads a request's address. Forwarded headers count only when the peer is one of the configured proxies; then it
 * is the right-most address that is not a proxy of ours: everything to its left the client could have written.
 */
export function createClientAddress(trustedProxies: readonly string[]): (req: IncomingMessage) => ClientAddress {
  const proxies = blockListOf(trustedProxies)
  const seen = new WeakMap<object, Peer>()

  return (req) => {
    const peer = peerOf(req)
    return { ...peer, at_machine: peer.loopback && isOpenedHere(req.headers) }
  }

  function peerOf(req: IncomingMessage): Peer {
    const { socket } = req
    const direct = seen.get(socket) ?? remember(seen, socket, directAddress(req))
    if (trustedProxies.length === 0 || !contains(proxies, direct.ip)) return direct
    const secure = headerList(req.headers['x-forwarded-proto']).at(-1) === 'https'
    const hops = headerList(req.headers['x-forwarded-for']).map(bareAddress)
    const hop = hops.reverse().find((address) => !contains(proxies, address))
    if (hop === undefined) return { ...direct, secure }
    // A hop that cannot be read is somebody, only nobody knows who: never this machine, never who stands left of it.
    if (isIP(hop) === 0) return { ip: direct.ip, loopback: false, secure }
    return { ip: hop, loopback: contains(LOOPBACK, hop), secure }
  }
}

/** The networks that the settings name, prepared anew only when these have changed: every call of an administrator asks. */
export function createAdminNetworks(current: () => readonly string[]): AdminNetworks {
  let prepared: { networks: readonly string[]; ipv4: BlockList; ipv6: BlockList } | undefined

  function isAmong(networks: readonly string[], ip: string): boolean {
    if (prepared?.networks !== networks) prepared = { networks, ...byFamily(networks) }
    const address = ip.replace(/%.*$/, '')
    return contains(isIPv4(address) ? prepared.ipv4 : prepared.ipv6, address)
  }

  return {
    hold: ({ ip, at_machine }) => at_machine || current().length === 0 || isAmong(current(), ip),
    wouldHold: (networks, { ip, at_machine }) => at_machine || networks.length === 0 || isAmong(networks, ip),
  }
}

/** In one list, `::/1` would hold every IPv4 address too: it is looked up there in its dress of IPv6. */
function byFamily(networks: readonly string[]): { ipv4: BlockList; ipv6: BlockList } {
  const isOfIpv6 = (network: string) => network.includes(':')
  return {
    ipv4: blockListOf(networks.filter((network) => !isOfIpv6(network))),
    ipv6: blockListOf(networks.filter(isOfIpv6)),
  }
}

function isIPv4(address: string): boolean {
  return isIP(address) === 4 || contains(MAPPED, address)
}

/**
 * A proxy on this machine that nobody has told us of comes from loopback too, for whomever. It passes on the name by which it was
 * called, or says that it passes something on: only where neither is so does somebody sit here.
 */
function isOpenedHere(headers: IncomingHttpHeaders): boolean {
  const host = hostNameOf(headers.host ?? '')
  return host !== undefined && isLoopbackHost(host) && BY_PROXIES.every((name) => headers[name] === undefined)
}

/** `name:port`, `1.2.3.4:port`, `[::1]:port`: the part before the port, lower-cased; undefined when malformed. */
export function hostNameOf(host: string): string | undefined {
  const parts = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::\d{1,5})?$/i.exec(host)
  return (parts?.[1] ?? parts?.[2])?.toLowerCase()
}

export function isLoopbackHost(host: string): boolean {
  return host === '127.0.0.1' || host === 'localhost' || contains(LOOPBACK, host)
}

function directAddress(req: IncomingMessage): Peer {
  const ip = bareAddress(req.socket.remoteAddress ?? '')
  return { ip, loopback: contains(LOOPBACK, ip), secure: 'encrypted' in req.socket }
}

function remember(seen: WeakMap<object, Peer>, key: object, address: Peer): Peer {
  seen.set(key, address)
  return address
}

function headerList(header: string | string[] | undefined): string[] {
  return (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}
