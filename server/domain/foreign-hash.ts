/**
 * Which password hashes may be imported: those that `password-formats.ts` can verify, and at a price that a sign-in
 * may cost. A hash that asks for hours of work, or for all memory, would stop the sign-ins of everybody.
 * Hashes of another Latchkey cannot be told from other argon2id; they match nothing here, for want of its key.
 */

/** KiB of argon2id: 256 MiB. */
const MEMORY = 262_144
/** KiB of argon2id times passes: about a second of work. */
const MEMORY_PASSES = 1_048_576
/** Two to this power rounds, about two seconds. */
const BCRYPT_COST = 15
/** N × r of scrypt: 256 MiB. */
const SCRYPT_MEMORY = 2_097_152
/** N × r × p of scrypt: about two seconds. */
const SCRYPT_WORK = 4_194_304
const PBKDF2_ROUNDS = 2_000_000

const ARGON2ID = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,4}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{22,86}$/
const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const SCRYPT = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$[A-Za-z0-9+/.]{2,86}\$[A-Za-z0-9+/.]{22,86}$/
const PBKDF2 =
  /^\$pbkdf2-sha(?:1|256|512)\$(?:i=)?(\d{1,7})(?:,l=\d{1,3})?\$[A-Za-z0-9+/.]{2,172}\$[A-Za-z0-9+/.]{22,86}$/
const DJANGO = /^pbkdf2_sha(?:1|256)\$(\d{1,7})\$[^$\s]{1,128}\$[A-Za-z0-9+/]{22,86}={0,2}$/

/** What to store for a hash from elsewhere; undefined for one that could not be verified here, or only at a ruinous price. */
export function acceptForeignHash(hash: string): string | undefined {
  return isArgon2id(hash) ? `imported:${hash}` : isBcrypt(hash) || isScrypt(hash) || isPbkdf2(hash) ? hash : undefined
}

function isArgon2id(hash: string): boolean {
  const [memory, passes, lanes] = numbersOf(ARGON2ID, hash)
  return memory >= 8 * lanes && memory <= MEMORY && passes >= 1 && memory * passes <= MEMORY_PASSES && lanes >= 1
}

function isBcrypt(hash: string): boolean {
  const [cost] = numbersOf(BCRYPT, hash)
  return cost >= 4 && cost <= BCRYPT_COST
}

function isScrypt(hash: string): boolean {
  const [ln, r, p] = numbersOf(SCRYPT, hash)
  const memory = 2 ** ln * r
  return ln >= 1 && r >= 1 && p >= 1 && memory <= SCRYPT_MEMORY && memory * p <= SCRYPT_WORK
}

function isPbkdf2(hash: string): boolean {
  const [phc] = numbersOf(PBKDF2, hash)
  const [django] = numbersOf(DJANGO, hash)
  const rounds = phc || django
  return rounds >= 1 && rounds <= PBKDF2_ROUNDS
}

/** The numbers in a hash, 0 where it is of another form. */
function numbersOf(form: RegExp, hash: string): [number, number, number] {
  const [, first = 0, second = 0, third = 0] = form.exec(hash) ?? []
  return [Number(first), Number(second), Number(third)]
}
