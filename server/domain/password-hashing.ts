import type { Random } from './one-time-secret.ts'
import { argon2id, readFormat } from './password-formats.ts'
import { createWorkQueue } from './work-queue.ts'

export interface PasswordHasher {
  /** A new argon2id hash as a PHC string. Rejects with `Overloaded` when too many wait. */
  hash(password: string): Promise<string>
  /**
   * Whether the password matches; `upgrade` when it does and the stored hash is weaker than today's or imported.
   * With no stored hash it works as long as for a real one and answers no. Rejects with `Overloaded`.
   */
  verify(password: string, stored: string | null): Promise<{ matches: boolean; upgrade: boolean }>
}

export interface HashingOptions {
  /** Keyed step: without this key, kept outside the database, a copy of the database verifies nothing. */
  pepper: Buffer
  /** Hashes computed at once. At most three: the thread pool has four threads, and the journal needs one. */
  parallel: number
  /** Hashes that may wait. Beyond it callers are told to come back later. */
  waiting: number
  random: Random
}

export async function createPasswordHasher(options: HashingOptions): Promise<PasswordHasher> {
  const { pepper } = options
  const work = createWorkQueue(options.parallel, options.waiting)
  const decoy = await argon2id.hash(options.random(32).toString('base64url'), pepper)

  return {
    hash: (password) => work(() => argon2id.hash(password.normalize('NFC'), pepper)),

    verify: (password, stored) =>
      work(async () => {
        const format = readFormat(stored ?? decoy)
        // A stored hash that is damaged matches nothing: an error would tell that the account exists.
        const matches = await format.verify(password.normalize('NFC'), stored ?? decoy, pepper).catch(() => false)
        return { matches: matches && stored !== null, upgrade: matches && format.isWeaker(stored ?? decoy) }
      }),
  }
}
