import type { X509Certificate } from 'node:crypto'
import type { LanStatus } from '../../api/lan.ts'
import { bytesOf, type LanAddress, textOf } from './addresses.ts'
import type { KeyAndCertificate } from './issue.ts'

export type LanProblem = LanStatus['problems'][number]

/** By what and where we are to be reached. */
export interface Wanted {
  /** The name that is announced. */
  name: string
  /** The machine's own names. */
  hosts: readonly string[]
  addresses: readonly LanAddress[]
}

/** What we show to those who connect. `certificate` may hold those of its issuers, too. */
export interface Shown extends KeyAndCertificate {
  parsed: X509Certificate
  names: readonly string[]
}

export interface AuthorityShown {
  parsed: X509Certificate
  covers: readonly string[]
}

/** Where the certificate comes from: our own authority, or files that were named at the start. */
export interface Certificates {
  readonly source: 'authority' | 'files'
  /** Brings it up to date. Does not reject: what is wrong stands in `problems`, and the last good one stays. */
  refresh(wanted: Wanted): Promise<void>
  shown(): Shown | undefined
  authority(): AuthorityShown | undefined
  /** Addresses that the authority may not vouch for. */
  uncovered(): readonly string[]
  problems(): readonly LanProblem[]
  /**
   * Puts a new authority in the place of the old one, whatever became of that; it signs from the next `refresh` on. Its
   * fingerprint; undefined where none could be made.
   */
  replace(wanted: Wanted): Promise<string | undefined>
}

/** The names and addresses of a certificate, as people write them. */
export function namesOf(certificate: X509Certificate): string[] {
  return (certificate.subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [, kind, value = ''] = /^(DNS|IP Address):(.+)$/.exec(entry) ?? []
    if (kind === undefined) return []
    return [kind === 'DNS' ? value.toLowerCase() : textOf(bytesOf(value))]
  })
}

/** Milliseconds since 1970 UTC. */
export function endOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo)
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
