import { z } from 'zod'
import { isoDate } from './schemas.ts'

/** What the last line of an export says about the lines before it. */
export const sealFacts = z.strictObject({
  /** Null: no entry was selected. */
  first_seq: z.int().nullable(),
  last_seq: z.int().nullable(),
  entries: z.int(),
  /** Hash of the last entry. */
  head: z.string().nullable(),
  /** SHA-256 over the hashes of all entries in order, each followed by a line feed. */
  digest: z.string(),
  /** Nothing was filtered out: each entry follows on the one before. */
  complete: z.boolean(),
  filter: z.record(z.string(), z.unknown()),
  exported_at: isoDate,
})
export type SealFacts = z.output<typeof sealFacts>

export const seal = sealFacts.extend({
  /** Names the public key: the first half of its SHA-256, in hex. */
  key: z.string(),
  public_key: z.string(),
  signature: z.string(),
})
export type Seal = z.output<typeof seal>
