import { X509Certificate } from 'node:crypto'
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { isWithin, type LanAddress } from './addresses.ts'
import {
  type Certificates,
  endOf,
  type LanProblem,
  namesOf,
  reasonOf,
  type Shown,
  type Wanted,
} from './certificates.ts'
import { type Constraints, decodeConstraints } from './constraints.ts'
import { readPair, writePair } from './files.ts'
import { issueAuthority, issueLeaf, type KeyAndCertificate } from './issue.ts'

const DAY = 24 * 60 * 60_000
const AUTHORITY_LIFE = 3650 * DAY
/** From here on people have the time to install a new one everywhere. */
const AUTHORITY_ENDING = 90 * DAY
const LEAF_LIFE = 90 * DAY
const LEAF_RENEWAL = 30 * DAY

interface Parts {
  /** Holds `authority.pem` and `server.pem`. */
  directory: string
  /** The names that may be announced; all of them are covered, because another one may be taken. */
  names: readonly string[]
  clock: () => number
  random: (bytes: number) => Buffer
  /** A new authority was made by ourselves. */
  made: (fingerprint: string) => void
}

interface Authority extends KeyAndCertificate {
  parsed: X509Certificate
  constraints: Constraints
}

/**
 * An authority of our own and the certificate that it signs. The authority is made once and never replaced unasked: every
 * device that trusts it would have to learn to trust another. It may vouch for this machine's names and networks only, so
 * that whoever steals its key cannot pass himself off as anybody else.
 */
export function createOwnAuthority({ directory, names, clock, random, made }: Parts): Certificates {
  const files = { authority: join(directory, 'authority.pem'), leaf: join(directory, 'server.pem') }
  let authority: Authority | undefined
  let leaf: Shown | undefined
  let uncovered: readonly string[] = []
  let problems: LanProblem[] = []
  const unwritable = new Map<string, LanProblem>()

  async function refresh(wanted: Wanted): Promise<void> {
    problems = []
    leaf ??= await readLeaf()
    // What is in memory serves on; but after the next start there would be nothing.
    if (authority && !unwritable.has(files.authority) && !(await exists(files.authority)))
      tell('authority_unreadable', `${files.authority}: missing`)
    authority ??= await provideAuthority(wanted)
    if (!authority) return
    if (endOf(authority.parsed) - clock() < AUTHORITY_ENDING) tell('authority_ending', authority.parsed.validTo)
    const covered = coveredBy(authority.constraints, wanted)
    uncovered = wanted.addresses.map(({ address }) => address).filter((address) => !covered.includes(address))
    if (uncovered.length > 0) tell('addresses_uncovered', uncovered.join(', '))
    if (covered.length > 0 && !serves(leaf, covered, authority)) await renew(authority, covered)
  }

  /** Reads it, or makes the first one. Where there was one and now is none that can be read, that is for people to decide. */
  async function provideAuthority(wanted: Wanted): Promise<Authority | undefined> {
    try {
      const stored = await readPair(files.authority)
      if (stored) {
        const constraints = decodeConstraints(stored.parsed.raw)
        if (!constraints) throw new Error('not an authority of ours')
        return { ...stored, constraints }
      }
      if (await exists(files.leaf)) throw new Error('missing')
    } catch (error) {
      tell('authority_unreadable', `${files.authority}: ${reasonOf(error)}`)
      return undefined
    }
    const first = await makeAuthority(wanted)
    if (first) made(first.parsed.fingerprint256)
    return first
  }

  async function makeAuthority(wanted: Wanted): Promise<Authority | undefined> {
    if (wanted.addresses.length === 0) return undefined
    const constraints = constraintsFor(names, wanted)
    const serial = serialFrom(random)
    const host = wanted.hosts[0] ?? 'this machine'
    // The same name twice would have devices take the new one for the old.
    const name = `Latchkey on ${host} (${serial.slice(0, 4).toUpperCase()})`
    const pair = await issueAuthority(name, constraints, serial, { from: clock(), until: clock() + AUTHORITY_LIFE })
    if (!(await written(files.authority, pair))) return undefined
    return { ...pair, parsed: new X509Certificate(pair.certificate), constraints }
  }

  async function renew(by: Authority, covered: readonly string[]): Promise<void> {
    const until = Math.min(clock() + LEAF_LIFE, endOf(by.parsed))
    const pair = await issueLeaf(by, covered, serialFrom(random), { from: clock(), until })
    // It serves even where it cannot be kept.
    await written(files.leaf, pair)
    leaf = { ...pair, parsed: new X509Certificate(pair.certificate), names: covered }
  }

  async function readLeaf(): Promise<Shown | undefined> {
    // One that is damaged is made again: nobody but us relies on it.
    const stored = await readPair(files.leaf).catch(() => undefined)
    return stored && { ...stored, names: namesOf(stored.parsed) }
  }

  function serves(one: Shown | undefined, covered: readonly string[], by: Authority): boolean {
    if (!one || !one.parsed.checkIssued(by.parsed) || !one.parsed.verify(by.parsed.publicKey)) return false
    const timely = Date.parse(one.parsed.validFrom) <= clock() && endOf(one.parsed) - clock() > LEAF_RENEWAL
    // Close to the end of the authority nothing lives longer.
    const last = endOf(one.parsed) === endOf(by.parsed)
    return (timely || last) && [...one.names].toSorted().join() === [...covered].toSorted().join()
  }

  async function written(path: string, pair: KeyAndCertificate): Promise<boolean> {
    try {
      await writePair(path, pair)
      unwritable.delete(path)
      return true
    } catch (error) {
      unwritable.set(path, { code: 'files_unwritable', detail: `${path}: ${reasonOf(error)}` })
      return false
    }
  }

  function tell(code: LanProblem['code'], detail: string): void {
    problems.push({ code, detail })
  }

  return {
    source: 'authority',
    refresh,
    shown: () => (leaf && endOf(leaf.parsed) > clock() ? leaf : undefined),
    authority: () =>
      authority && {
        parsed: authority.parsed,
        covers: [...authority.constraints.names, ...authority.constraints.networks],
      },
    uncovered: () => uncovered,
    problems: () => [...problems, ...unwritable.values()],
    async replace(wanted) {
      const next = await makeAuthority(wanted)
      if (next) authority = next
      return next?.parsed.fingerprint256
    },
  }
}

/** What a new authority may vouch for: whole networks, because addresses in them change. */
function constraintsFor(announced: readonly string[], { hosts, addresses }: Wanted): Constraints {
  const networks = addresses.map(({ network }) => network)
  return { names: [...new Set([...announced, ...hosts.filter(isOurAlone)])], networks: [...new Set(networks)] }
}

/**
 * Whether nobody else's name can end with this one, for an authority may vouch for those as well: a machine called `dev` must
 * not give us all of `.dev`, nor one called `acme.com` the whole company. No top-level domain has a digit or a dash in it, but
 * those that begin with `xn--`.
 */
function isOurAlone(host: string): boolean {
  const labels = host.split('.').length
  if (labels === 1) return /[\d-]/.test(host) && !host.startsWith('xn--')
  return labels > 2 || host.endsWith('.local')
}

function coveredBy({ names, networks }: Constraints, { name, hosts, addresses }: Wanted): string[] {
  const covered = [name, ...hosts].filter((one) => names.some((base) => one === base || one.endsWith(`.${base}`)))
  const isCovered = ({ address }: LanAddress) => networks.some((network) => isWithin(address, network))
  return [...new Set([...covered, ...addresses.filter(isCovered).map(({ address }) => address)])]
}

/** Positive, and of full length. */
function serialFrom(random: Parts['random']): string {
  const bytes = random(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
