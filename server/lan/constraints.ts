import { bytesOf, maskOf, textOf } from './addresses.ts'

/** What a certificate authority may vouch for: names with whatever stands before them, and networks (`192.168.1.0/24`). */
export interface Constraints {
  names: readonly string[]
  networks: readonly string[]
}

export const NAME_CONSTRAINTS = '2.5.29.30'

// The few types of ASN.1 that stand in them (RFC 5280, 4.2.1.10).
const SEQUENCE = 0x30
const OCTETS = 0x04
const PERMITTED = 0xa0
const DNS_NAME = 0x82
const IP_ADDRESS = 0x87
const OID = Uint8Array.of(0x06, 0x03, 0x55, 0x1d, 0x1e)
const CRITICAL = Uint8Array.of(0x01, 0x01, 0xff)

/** The extension's value as DER. */
export function encodeConstraints({ names, networks }: Constraints): Uint8Array<ArrayBuffer> {
  const bases = [
    ...names.map((name) => tagged(DNS_NAME, new TextEncoder().encode(name))),
    ...networks.map((network) => tagged(IP_ADDRESS, rangeOf(network))),
  ]
  return tagged(SEQUENCE, tagged(PERMITTED, joined(bases.map((base) => tagged(SEQUENCE, base)))))
}

/** Reads them back from a certificate of ours; undefined where it has none, or other ones than we make. */
export function decodeConstraints(certificate: Uint8Array): Constraints | undefined {
  const at = Buffer.from(certificate).indexOf(joined([OID, CRITICAL]))
  if (at < 0) return undefined
  const [extension] = parts(certificate.subarray(at + OID.length + CRITICAL.length), OCTETS)
  const [outer] = parts(extension, SEQUENCE)
  const [permitted] = parts(outer, PERMITTED)
  if (!permitted) return undefined
  const bases = parts(permitted, SEQUENCE)
  return {
    names: bases.flatMap((base) => parts(base, DNS_NAME)).map((bytes) => new TextDecoder().decode(bytes)),
    networks: bases.flatMap((base) => parts(base, IP_ADDRESS)).map(networkOf),
  }
}

function rangeOf(network: string): Uint8Array {
  const [address = '', bits] = network.split('/')
  const bytes = bytesOf(address)
  return joined([bytes, maskOf(Number(bits), bytes.length)])
}

function networkOf(range: Uint8Array): string {
  const half = range.length / 2
  const bits = range.subarray(half).reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0)
  return `${textOf(range.subarray(0, half))}/${bits}`
}

function tagged(tag: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return joined([Uint8Array.of(tag, ...size), content])
}

/** The contents of the elements with this tag, one after the other. */
function parts(bytes: Uint8Array | undefined, wanted: number): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; bytes && at + 1 < bytes.length;) {
    const first = bytes[at + 1] ?? 0
    const more = first < 0x80 ? 0 : first & 0x7f
    const length = more === 0 ? first : bytes.subarray(at + 2, at + 2 + more).reduce((sum, byte) => sum * 256 + byte, 0)
    const start = at + 2 + more
    if (bytes[at] === wanted) found.push(bytes.subarray(start, start + length))
    else if (found.length === 0) return found
    at = start + length
  }
  return found
}

function joined(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]))
}
