import { createSecretKey, hkdfSync } from 'node:crypto'
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Random } from './domain/one-time-secret.ts'
import type { SigningKey } from './domain/session-token.ts'

/**
 * The keys that are kept beside the database, never in it: those that sign session tokens (the first signs, the
 * rest still verify), the one that seals TOTP secrets, and the pepper of the password hashes. The one that signs exports of
 * the audit is derived from the second, so that every keyring has it.
 */
export interface Keyring {
  signing: readonly [SigningKey, ...SigningKey[]]
  vault: Buffer
  pepper: Buffer
  auditSeal: Buffer
}

const FILE = 'keyring.json'

const KEY_BYTES = 32
const key = z
  .base64url()
  .transform((text) => Buffer.from(text, 'base64url'))
  .refine((bytes) => bytes.length === KEY_BYTES)
const keyringSchema = z.object({
  version: z.literal(1),
  signing: z.array(z.object({ kid: z.string(), key })).min(1),
  vault: key,
  pepper: key,
})

/** The keyring cannot be read; its message says which file and what to do. */
export class KeyringError extends Error {}

/**
 * Reads the keyring of a data directory. Where there is none, and `mayCreate` says that nothing depends on one yet,
 * makes one (file mode 0600). Rejects with `KeyringError` when it is missing or damaged: it is never replaced, because
 * with it every password and sealed secret would be lost.
 */
export async function openKeyring(directory: string, random: Random, mayCreate: boolean): Promise<Keyring> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, FILE)
  const stored = await readIfThere(path)
  if (stored === undefined && !mayCreate) {
    throw new KeyringError(
      `The keyring ${path} is missing, but the database needs it. Restore it from a backup, or copy it from the other server.`,
    )
  }
  return parse(path, stored ?? (await create(path, random)))
}

/** The keyring of a data directory; undefined where there is none. Makes nothing. Rejects with `KeyringError`. */
export async function readKeyring(directory: string): Promise<Keyring | undefined> {
  const path = join(directory, FILE)
  const stored = await readIfThere(path)
  return stored === undefined ? undefined : parse(path, stored)
}

function parse(path: string, text: string): Keyring {
  const parsed = keyringSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw new KeyringError(
      `The keyring ${path} is damaged. Restore it from a backup; without it nobody's password can be checked.`,
    )
  }
  const [first, ...rest] = parsed.data.signing.map(({ kid, key }) => ({ kid, key: createSecretKey(key) }))
  if (!first) throw new KeyringError(`The keyring ${path} holds no signing key. Restore it from a backup.`)
  const { vault, pepper } = parsed.data
  return { signing: [first, ...rest], vault, pepper, auditSeal: derive(vault, 'latchkey audit export') }
}

function derive(from: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', from, '', purpose, KEY_BYTES))
}

/** Written beside and linked into place, so that two starts at once agree on one keyring and a crash leaves none half. */
async function create(path: string, random: Random): Promise<string> {
  const fresh = () => random(KEY_BYTES).toString('base64url')
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
