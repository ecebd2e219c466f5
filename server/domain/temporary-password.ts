import type { Random } from './one-time-secret.ts'

/** Without what looks alike, because people read it out and type it off. */
const CLASSES = ['ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnpqrstuvwxyz', '23456789', '-_.:!?']
const ALPHABET = CLASSES.join('')
const LENGTH = 16

/** A password that somebody is given for a while: 95 bits, each class there. */
export function createTemporaryPassword(random: Random): string {
  for (;;) {
    const password = Array.from({ length: LENGTH }, () => ALPHABET.charAt(below(ALPHABET.length, random))).join('')
    // Drawn anew as a whole: mending it would favour some passwords.
    if (CLASSES.every((characters) => [...characters].some((character) => password.includes(character))))
      return password
  }
}

/** A number below `limit` (at most 256), each as likely as the others. */
function below(limit: number, random: Random): number {
  const fair = 256 - (256 % limit)
  for (;;) {
    const [byte = 256] = random(1)
    if (byte < fair) return byte % limit
  }
}
