import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { syncDirectory } from '../sync-directory.ts'
import type { KeyAndCertificate } from './issue.ts'

const KEY = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/

/** A key and its certificate from one file of ours; undefined where there is none. Rejects with what is wrong. */
export async function readPair(path: string): Promise<(KeyAndCertificate & { parsed: X509Certificate }) | undefined> {
  const text = await readIfThere(path)
  if (text === undefined) return undefined
  const [key] = KEY.exec(text) ?? []
  const [certificate] = CERTIFICATE.exec(text) ?? []
  if (key === undefined || certificate === undefined) throw new Error('no key and certificate in it')
  const parsed = new X509Certificate(certificate)
  if (!parsed.checkPrivateKey(createPrivateKey(key))) throw new Error('the key is not that of the certificate')
  return { key, certificate, parsed }
}

/** Writes both into one file, beside, synced and renamed: so they are there together or not at all. */
export async function writePair(path: string, { key, certificate }: KeyAndCertificate): Promise<void> {
  const directory = dirname(path)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const beside = `${path}.next`
  const file = await open(beside, 'w', 0o600)
  try {
    await file.writeFile(`${key}${certificate.trimEnd()}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(beside, path)
  await syncDirectory(directory)
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
