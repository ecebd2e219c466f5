import { BlockList, isIP } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { AdminNetworks } from '../domain/admission.ts'

/** Where a request came from and how, as far as it can be trusted. */
export interface ClientAddress {
  ip: string
  /** From this machine itself, and not through a proxy for somebody else. */
  loopback: boolean
  /** The browser's own connection is encrypted. */
  secure: boolean
}

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8)
LOOPBACK.addAddress('::1', 'ipv6')

/**
 * Reads a request's address. Forwarded headers count only when the peer is one of the configured proxies; then it
 * is the right-most address that is not a proxy of ours: everything to its left the client could have written.
 */
export function createClientAddress(trustedProxies: readonly string[]): (req: IncomingMessage) => ClientAddress {
  const proxies = blockListOf(trustedProxies)
  const seen = new WeakMap<object, ClientAddress>()

  return (req) => {
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
  let prepared: { networks: readonly string[]; list: BlockList } | undefined

  function isAmong(networks: readonly string[], ip: string): boolean {
    if (prepared?.networks !== networks) prepared = { networks, list: blockListOf(networks) }
    return contains(prepared.list, ip.replace(/%.*$/, ''))
  }

  return {
    hold: ({ ip, loopback }) => loopback || current().length === 0 || isAmong(current(), ip),
    wouldHold: (networks, { ip, loopback }) => loopback || networks.length === 0 || isAmong(networks, ip),
  }
}

export function isLoopbackHost(host: string): boolean {
  return host === '127.0.0.1' || host === 'localhost' || contains(LOOPBACK, host)
}

function directAddress(req: IncomingMessage): ClientAddress {
  const ip = bareAddress(req.socket.remoteAddress ?? '')
  return { ip, loopback: contains(LOOPBACK, ip), secure: 'encrypted' in req.socket }
}

function remember(seen: WeakMap<object, ClientAddress>, key: object, address: ClientAddress): ClientAddress {
  seen.set(key, address)
  return address
}

function contains(list: BlockList, ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && list.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

function blockListOf(ranges: readonly string[]): BlockList {
  const list = new BlockList()
  for (const range of ranges) {
    const [address = '', bits] = range.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (bits === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(bits), family)
  }
  return list
}

/** An address without the port that some proxies write, and IPv4 without its IPv6 dress. */
export function bareAddress(text: string): string {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  return bare.replace(/^::ffff:(?=\d+\.)/i, '')
}

function headerList(header: string | string[] | undefined): string[] {
  return (Array.isArray(header) ? header.join(',') : (header ?? ''))
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
}
