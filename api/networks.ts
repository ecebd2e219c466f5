/**
 * Networks as somebody names them: an address, or a range of them (CIDR), of IPv4 or IPv6. Without the resolver of any
 * system, because the page reads them as well.
 */

/** `192.168.1.7/24` as `192.168.1.0/24`, `FD00:0::1/128` as `fd00::1`; undefined where the text names no network. */
export function normalNetwork(text: string): string | undefined {
  const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? []
  const bytes = address.includes(':') ? bytesOfV6(address) : bytesOfV4(address)
  if (!bytes) return undefined
  const most = bytes.length * 8
  const bits = prefix === undefined ? most : Number(prefix)
  if (bits > most) return undefined
  const written = write(bytes.map((byte, index) => byte & maskOf(bits - index * 8)))
  return bits === most ? written : `${written}/${bits}`
}

/** Of the byte in which this many bits of the prefix are left. */
function maskOf(bits: number): number {
  return bits >= 8 ? 0xff : bits <= 0 ? 0 : (0xff << (8 - bits)) & 0xff
}

function bytesOfV4(text: string): number[] | undefined {
  if (!/^(?:(?:0|[1-9]\d{0,2})\.){3}(?:0|[1-9]\d{0,2})$/.test(text)) return undefined
  const bytes = text.split('.').map(Number)
  return bytes.every((byte) => byte <= 255) ? bytes : undefined
}

/** Of an address without a zone. IPv4 in the dress of IPv6 is refused: it is named as what it is. */
function bytesOfV6(text: string): number[] | undefined {
  const name = `http://[${text}]/`
  if (!/^[\da-f:.]+$/i.test(text) || !URL.canParse(name)) return undefined
  const plain = new URL(name).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::')
  const before = groupsOf(head)
  const after = groupsOf(tail ?? '')
  const groups = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  return isMapped ? undefined : groups.flatMap((group) => [group >> 8, group & 0xff])
}

function groupsOf(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
}

function write(bytes: readonly number[]): string {
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    (((bytes[index * 2] ?? 0) << 8) | (bytes[index * 2 + 1] ?? 0)).toString(16),
  )
  return new URL(`http://[${groups.join(':')}]/`).hostname.slice(1, -1)
}
