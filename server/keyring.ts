import { createSecretKey } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Random } from './domain/one-time-secret.ts'
import type { SigningKey } from './domain/session-token.ts'

/**
 * The keys that are kept beside the database, never in it: those that sign session tokens (the first signs, the
 * rest still verify), the one that seals TOTP secrets, and the pepper of the password hashes.
 */
export interface Keyring {
  signing: readonly [SigningKey, ...SigningKey[]]
  vault: Buffer
  pepper: Buffer
}

const FILE = 'keyring.json'

const key = z.base64url().transform((text) => Buffer.from(text, 'base64url'))
const keyringSchema = z.object({
  version: z.literal(1),
  signing: z.array(z.object({ kid: z.string(), key })).min(1),
  vault: key,
  pepper: key,
})

/** The keyring cannot be read; its message says which file and what to do. */
export class KeyringError extends Error {}

/**
 * Reads the keyring of a data directory, or makes one (file mode 0600) where there is none. Rejects with
 * `KeyringError` when the file is there but damaged: it is never overwritten, because with it the sealed secrets
 * would be lost.
 */
export async function openKeyring(directory: string, random: Random): Promise<Keyring> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, FILE)
  const text = (await readIfThere(path)) ?? (await create(path, random))
  const parsed = keyringSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new KeyringError(
      `The keyring ${path} is damaged. Restore it from a backup; without it nobody's password can be checked.`,
    )
  }
  const [first, ...rest] = parsed.data.signing.map(({ kid, key }) => ({ kid, key: createSecretKey(key) }))
  if (!first) throw new KeyringError(`The keyring ${path} holds no signing key. Restore it from a backup.`)
  return { signing: [first, ...rest], vault: parsed.data.vault, pepper: parsed.data.pepper }
}

/** Written beside and linked into place, so that two starts at once agree on one keyring and a crash leaves none half. */
async function create(path: string, random: Random): Promise<string> {
  const fresh = () => random(32).toString('base64url')
  const text = `${JSON.stringify({ version: 1, signing: [{ kid: random(4).toString('hex'), key: fresh() }], vault: fresh(), pepper: fresh() })}\n`
  const beside = `${path}.${random(6).toString('hex')}`
  const file = await open(beside, 'wx', 0o600)
  await file.writeFile(text)
  await file.sync()
  await file.close()
  try {
    await link(beside, path)
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error
  } finally {
    await unlink(beside)
  }
  return readFile(path, 'utf8')
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined
    throw new KeyringError(
      `The keyring ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
