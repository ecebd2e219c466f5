import { createSecretKey, hkdfSync } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import type { Random } from './domain/one-time-secret.ts'
import type { SigningKey } from './domain/session-token.ts'
import { syncDirectory } from './sync-directory.ts'

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
  /** What a keyring file without protection holds: for backups, which must open on another machine, too. */
  text: string
}

const FILE = 'keyring.json'
const STRAY = /^keyring\.json\.[0-9a-f]{12}$/

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

/** What stands in the file where the operating system's key store protects the keyring: its text, wrapped. */
const wrappedSchema = z.object({
  version: z.literal(1),
  protected_by: z.literal('operating system'),
  wrapped: z.base64(),
})

/** Something outside that keeps the keyring from being read off the disk, such as the key store of the system. */
export interface KeyProtector {
  wrap(bytes: Buffer): Promise<Buffer>
  unwrap(bytes: Buffer): Promise<Buffer>
  /** How the file shall stand from now on: `plain` takes an earlier protection off again, `as it is` changes nothing. */
  keep: 'wrapped' | 'plain' | 'as it is'
}

/** The keyring cannot be read; its message says which file and what to do. */
export class KeyringError extends Error {}

/**
 * Reads the keyring of a data directory. Where there is none, and `mayCreate` says that nothing depends on one yet,
 * makes one (file mode 0600). With a protector the file ends up as that wants it; the old one is replaced only when the
 * new one was read back. Rejects with `KeyringError` when it is missing, damaged or cannot be unwrapped: it is never
 * replaced then, because with it every password and sealed secret would be lost.
 */
export async function openKeyring(
  directory: string,
  random: Random,
  mayCreate: boolean,
  protector?: KeyProtector,
): Promise<Keyring> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, FILE)
  const stored = await readIfThere(path)
  if (stored === undefined && !mayCreate) {
    throw new KeyringError(
      `The keyring ${path} is missing, but the database needs it. Restore it from a backup, or copy it from the other server.`,
    )
  }
  const file = stored ?? (await create(path, random))
  const text = await unwrapped(path, file, protector)
  const keyring = parse(path, text)
  if (protector) await protect(path, { file, text }, protector, random)
  await sweep(path)
  return keyring
}

/** The keyring of a data directory; undefined where there is none. Changes nothing. Rejects with `KeyringError`. */
export async function readKeyring(directory: string, protector?: KeyProtector): Promise<Keyring | undefined> {
  const path = join(directory, FILE)
  const stored = await readIfThere(path)
  return stored === undefined ? undefined : parse(path, await unwrapped(path, stored, protector))
}

/** Copies of the keys that were written beside the keyring and stayed, because the process was killed. */
export async function strayKeyrings(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => STRAY.test(name)).map((name) => join(directory, name))
}

/** They may be readable where the keyring itself is protected. */
async function sweep(path: string): Promise<void> {
  for (const stray of await strayKeyrings(dirname(path))) await unlink(stray).catch(() => {})
}

async function unwrapped(path: string, file: string, protector: KeyProtector | undefined): Promise<string> {
  const wrapped = wrappedSchema.safeParse(parseJson(file))
  if (!wrapped.success) return file
  if (!protector) {
    throw new KeyringError(
      `The keyring ${path} is protected by the key store of the operating system, which only the desktop app can ask. ` +
        'Use the desktop app, or start it once with --plain-keyring to take the protection off.',
    )
  }
  try {
    return (await protector.unwrap(Buffer.from(wrapped.data.wrapped, 'base64'))).toString()
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new KeyringError(
      `The key store of the operating system does not open the keyring ${path}: ${reason}. Sign in to this machine with ` +
        'the account that protected it and unlock its key store, or restore the keyring from a backup.',
      { cause: error },
    )
  }
}

/** Puts the file into the form that the protector wants. The old one goes only when the new one was read back. */
async function protect(
  path: string,
  { file, text }: { file: string; text: string },
  protector: KeyProtector,
  random: Random,
): Promise<void> {
  const isWrapped = file !== text
  if (protector.keep === 'as it is' || isWrapped === (protector.keep === 'wrapped')) return
  const wanted = protector.keep === 'plain' ? text : await wrapped(text, protector)
  const beside = `${path}.${random(6).toString('hex')}`
  try {
    await write(beside, wanted)
    if ((await unwrapped(beside, await readFile(beside, 'utf8'), protector)) !== text)
      throw new KeyringError(`The key store of the operating system did not give back what it was given for ${path}.`)
    await rename(beside, path)
  } catch (error) {
    await unlink(beside).catch(() => {})
    throw error
  }
  // So that the new name survives a power loss; systems that cannot do it see to it themselves.
  await syncDirectory(dirname(path)).catch(() => {})
}

async function wrapped(text: string, protector: KeyProtector): Promise<string> {
  const bytes = await protector.wrap(Buffer.from(text))
  return `${JSON.stringify({ version: 1, protected_by: 'operating system', wrapped: bytes.toString('base64') })}\n`
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
  return { signing: [first, ...rest], vault, pepper, auditSeal: derive(vault, 'latchkey audit export'), text }
}

function derive(from: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', from, '', purpose, KEY_BYTES))
}

/** Written beside and linked into place, so that two starts at once agree on one keyring and a crash leaves none half. */
async function create(path: string, random: Random): Promise<string> {
  const fresh = () => random(KEY_BYTES).toString('base64url')
  const text = `${JSON.stringify({ version: 1, signing: [{ kid: random(4).toString('hex'), key: fresh() }], vault: fresh(), pepper: fresh() })}\n`
  const beside = `${path}.${random(6).toString('hex')}`
  await write(beside, text)
  try {
    await link(beside, path)
  } catch (error) {
    // Another server that starts in the same directory was first, and may have swept ours away.
    if (!isCode(error, 'EEXIST') && !isCode(error, 'ENOENT')) throw error
  } finally {
    await unlink(beside).catch(() => {})
  }
  return readFile(path, 'utf8')
}

async function write(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
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
