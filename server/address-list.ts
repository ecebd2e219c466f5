import { BlockList, isIP } from 'node:net'

/** Whether an address is in a list; what is no address is in none. */
export function contains(list: BlockList, ip: string): boolean {
  const family = isIP(ip)
  return family !== 0 && list.check(ip, family === 6 ? 'ipv6' : 'ipv4')
}

/** A list of addresses and networks (`10.0.0.0/8`), all of them well formed. */
export function blockListOf(ranges: readonly string[]): BlockList {
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

/** This machine, to itself. */
export const LOOPBACK = blockListOf(['127.0.0.0/8', '::1'])
