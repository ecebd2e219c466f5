import { BlockList, isIP } from 'node:net'
import type { NetworkInterfaceInfo } from 'node:os'

/** An address of this machine under which its network can reach it. */
export interface LanAddress {
  address: string
  /** The private network that it is in, as `192.168.1.0/24`; of the internet, where neighbours are strangers, the address alone. */
  network: string
  /** The name of the interface. */
  through: string
}

type Interfaces = Record<string, NetworkInterfaceInfo[] | undefined>

/** What is nobody's on the internet: only there a switch may open us without the person saying so. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', 'fc00::/7']

/** Bridges and tunnels of containers and virtual machines: reachable, but hardly what a phone in the room uses. */
const VIRTUAL = /^(docker|br-|veth|virbr|vmnet|vboxnet|vEthernet|lxc|cni|flannel|tun|tap|wg|utun|zt)/i

/**
 * The addresses to listen on, the likeliest first. `told` is the address that we were started with: one of the internet
 * counts because somebody said so, and so do all of them where it is a wildcard.
 */
export function lanAddresses(interfaces: Interfaces, told: string): LanAddress[] {
  const everywhere = isWildcard(told)
  const found = Object.entries(interfaces).flatMap(([through, infos = []]) =>
    infos
      .filter(({ internal, address }) => !internal && !isScoped(address))
      .filter(({ address }) => everywhere || address === told || isPrivate(address))
      .filter(({ address }) => told !== '0.0.0.0' || isIP(address) === 4)
      .map(({ address, cidr }) => ({
        address,
        network: networkOf(address, cidr),
        through,
      })),
  )
  const unique = [...new Map(found.map((one) => [one.address, one])).values()]
  return unique.toSorted((a, b) => rank(a) - rank(b))
}

/** The machine's own names; one that no browser could ask for is left out. */
export function hostsOf(own: string): string[] {
  const host = own.toLowerCase().replace(/\.$/, '')
  const [label = ''] = host.split('.')
  return [...new Set([host, `${label}.local`])].filter((one) => /^[a-z0-9]([a-z0-9.-]{0,200}[a-z0-9])?$/.test(one))
}

function isPrivate(address: string): boolean {
  return blockOf(address) !== undefined
}

/** The private block that an address is in. */
function blockOf(address: string): string | undefined {
  return PRIVATE.find((block) => isWithin(address, block))
}

export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

/** Whether an address is in a network. */
export function isWithin(address: string, network: string): boolean {
  const [base = '', bits = ''] = network.split('/')
  if (isIP(base) === 0 || isIP(base) !== isIP(address)) return false
  const list = new BlockList()
  list.addSubnet(base, Number(bits), isIP(base) === 6 ? 'ipv6' : 'ipv4')
  return contains(list, address)
}

/** An address as it stands in a URL. */
export function inUrl(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address
}

/** The sixteen or four bytes of an address. */
export function bytesOf(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number))
  // The URL parser writes the last four bytes in hexadecimal, too.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => text.split(':').filter(Boolean)
  const after = tail === undefined ? [] : groups(tail)
  const zeros = Array.from({ length: 8 - groups(head).length - after.length }, () => '0')
  const all = [...groups(head), ...zeros, ...after].map((group) => parseInt(group, 16))
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

/** The mask of a network of this many bits. */
export function maskOf(bits: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => 0xff & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * at))))
}

/**
 * The network of `192.168.1.7/24`; an address of the internet is a network of one. Never more than the private block: a mask
 * is what somebody typed, or what a router handed out, and must not give the authority power over addresses of others.
 */
function networkOf(address: string, cidr: string | null): string {
  const bytes = bytesOf(address)
  const block = blockOf(address)
  const bits = block === undefined || cidr === null ? 8 * bytes.length : Math.max(bitsOf(cidr), bitsOf(block))
  const mask = maskOf(bits, bytes.length)
  return `${textOf(bytes.map((byte, at) => byte & (mask[at] ?? 0)))}/${bits}`
}

function bitsOf(network: string): number {
  return Number(network.split('/')[1])
}

/** An address from its bytes. */
export function textOf(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0))
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1)
}

/** `fe80::…`: means something else on every interface, and browsers do not take it. */
function isScoped(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

/** IPv4 before IPv6, real interfaces before virtual ones, an address from a router before one that was made up. */
function rank({ address, through }: LanAddress): number {
  const made = address.startsWith('169.254.') ? 4 : 0
  return (isIP(address) === 6 ? 2 : 0) + (VIRTUAL.test(through) ? 8 : 0) + made
}
