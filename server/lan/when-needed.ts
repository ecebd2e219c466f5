import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import type { Certificates } from './certificates.ts'
import type { Doors } from './doors.ts'

// What follows is read from disk only once the network is switched on: most of the time it is not.

interface CertificateParts {
  config: Pick<Config, 'tlsCert' | 'tlsKey' | 'dataDirectory'>
  /** The names that may be announced. */
  names: readonly string[]
  clock: () => number
  random: (bytes: number) => Buffer
  /** A first authority was made. */
  made: (fingerprint: string) => void
}

/** From the files that were named at the start, else from an authority of our own. */
export async function createCertificates({
  config,
  names,
  clock,
  random,
  made,
}: CertificateParts): Promise<Certificates> {
  const { tlsCert: certificate, tlsKey: key, dataDirectory } = config
  if (certificate !== undefined && key !== undefined) {
    const { createCertificateFiles } = await import('./certificate-files.ts')
    return createCertificateFiles({ certificate, key }, clock)
  }
  const { createOwnAuthority } = await import('./own-authority.ts')
  return createOwnAuthority({ directory: join(dataDirectory, 'tls'), names, clock, random, made })
}

export async function openDoors(take: (socket: Socket) => void, proxies: readonly string[]): Promise<Doors> {
  const [{ createDoors }, { createCrowd }] = await Promise.all([import('./doors.ts'), import('./crowd.ts')])
  return createDoors(take, createCrowd({ proxies }))
}
