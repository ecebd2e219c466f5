import { pbkdf2, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2'

/** One way of storing a password: argon2id is ours, the others verify what was imported. */
export interface PasswordFormat {
  verify(password: string, stored: string, pepper: Buffer): Promise<boolean>
  /** Whether to replace the stored hash once the password is known. */
  isWeaker(stored: string): boolean
}

/** OWASP's parameters for argon2id, the library's default algorithm: 19 MiB, two passes, one lane. */
const STRENGTH = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }
const PREFIX = `$argon2id$v=19$m=${STRENGTH.memoryCost},t=${STRENGTH.timeCost},p=${STRENGTH.parallelism}$`
/** Marks a hash that was made without our pepper: imported from elsewhere. */
const FOREIGN = 'imported:'

export const argon2id = {
  hash: (password: string, pepper: Buffer) => argon2Hash(password, { ...STRENGTH, secret: pepper }),
  verify: (password: string, stored: string, pepper: Buffer) =>
    stored.startsWith(FOREIGN)
      ? argon2Verify(stored.slice(FOREIGN.length), password)
      : argon2Verify(stored, password, { secret: pepper }),
  isWeaker: (stored: string) => !stored.startsWith(PREFIX),
} satisfies PasswordFormat & { hash: unknown }

/** `$2a$`, `$2b$`, `$2y$`. bcrypt itself looks at the first 72 bytes only. */
const bcrypt: PasswordFormat = {
  // Loaded only where such a hash was imported: few ever need its native code.
  verify: async (password, stored) => (await import('@node-rs/bcrypt')).verify(password, stored),
  isWeaker: () => true,
}

/** `$scrypt$ln=17,r=8,p=1$salt$hash`, base64 without padding (the PHC form of passlib and others). */
const scryptFormat: PasswordFormat = {
  verify: async (password, stored) => {
    const parts = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(stored)
    if (!parts) return false
    const [, ln = '', r = '', p = '', salt = '', expected = ''] = parts
    const options = { N: 2 ** Number(ln), r: Number(r), p: Number(p), maxmem: 512 * 1024 * 1024 }
    return sameBytes(await deriveScrypt(password, decode(salt), decode(expected).length, options), decode(expected))
  },
  isWeaker: () => true,
}

/** `$pbkdf2-sha256$i=600000$salt$hash` (PHC; passlib writes the count bare) and Django's `pbkdf2_sha256$…`. */
const pbkdf2Format: PasswordFormat = {
  verify: async (password, stored) => {
    const phc = /^\$pbkdf2-(sha1|sha256|sha512)\$(?:i=)?(\d+)(?:,[^$]*)?\$([^$]+)\$([^$]+)$/.exec(stored)
    const django = /^pbkdf2_(sha1|sha256|sha512)\$(\d+)\$([^$]+)\$([^$]+)$/.exec(stored)
    const [, digest = '', rounds = '', salt = '', expected = ''] = phc ?? django ?? []
    if (digest === '') return false
    const saltBytes = phc ? decode(salt) : Buffer.from(salt, 'utf8')
    const want = decode(expected)
    return sameBytes(await derivePbkdf2(password, saltBytes, Number(rounds), want.length, digest), want)
  },
  isWeaker: () => true,
}

const unknownFormat: PasswordFormat = { verify: async () => false, isWeaker: () => false }

/** Which format a stored hash is in; one that nobody knows matches no password. */
export function readFormat(stored: string): PasswordFormat {
  if (stored.startsWith('$argon2id$') || stored.startsWith(`${FOREIGN}$argon2`)) return argon2id
  if (/^\$2[aby]\$/.test(stored)) return bcrypt
  if (stored.startsWith('$scrypt$')) return scryptFormat
  if (/^(\$pbkdf2-|pbkdf2_)sha/.test(stored)) return pbkdf2Format
  return unknownFormat
}

/** Whether a stored hash came from another system and was not yet replaced by one of ours. */
export function isImported(stored: string): boolean {
  return !stored.startsWith('$argon2id$')
}

function deriveScrypt(password: string, salt: Buffer, length: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

function derivePbkdf2(password: string, salt: Buffer, rounds: number, length: number, digest: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, rounds, length, digest, (error, key) => (error ? reject(error) : resolve(key)))
  })
}

/** Base64 as PHC strings and passlib write it: no padding, "." sometimes for "+". */
function decode(text: string): Buffer {
  return Buffer.from(text.replaceAll('.', '+'), 'base64')
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && a.length > 0 && timingSafeEqual(a, b)
}
