import { z } from 'zod'

/**
 * A backup is an age file around a tar archive: `age -d FILE | tar x` opens it without us. The archive begins with
 * `manifest.json`, which names the other parts in their order, with their sizes and hashes:
 *
 *   database.sqlite   the database as a plain SQLite file; not in a backup of the keys alone
 *   keyring.json      the keys, unwrapped
 *   tls/NAME          certificates and their keys, where the server has made or been given some
 */
export const FORMAT = 1
export const MANIFEST = 'manifest.json'
export const DATABASE = 'database.sqlite'
export const KEYRING = 'keyring.json'

const MIB = 1024 * 1024
/** The largest a part may be. A database must fit in the memory that WebAssembly can have. */
const LARGEST = { database: 2048 * MIB, other: MIB }
/** One page. SQLite takes an empty file for an empty database. */
const SMALLEST_DATABASE = 512
const MOST_PARTS = 64

/** Nothing else is unpacked: no path leads out of the directory. */
const NAME = /^(?:database\.sqlite|keyring\.json|tls\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99})$/

const part = z
  .strictObject({
    name: z.string().regex(NAME),
    bytes: z.int().min(0),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  })
  .refine(({ name, bytes }) => bytes <= (name === DATABASE ? LARGEST.database : LARGEST.other))
  .refine(({ name, bytes }) => name !== DATABASE || bytes >= SMALLEST_DATABASE)
export type Part = z.output<typeof part>

export const manifestSchema = z.object({
  format: z.literal(FORMAT),
  /** Shown on terminals and in the audit. */
  version: z.string().regex(/^[\w.+-]{1,100}$/),
  made_at: z.iso.datetime(),
  engine: z.enum(['embedded', 'postgres']),
  parts: z
    .array(part)
    .max(MOST_PARTS)
    .refine((parts) => new Set(parts.map(({ name }) => name)).size === parts.length)
    .refine((parts) => parts.some(({ name }) => name === KEYRING)),
})
export type Manifest = z.output<typeof manifestSchema>

export const LARGEST_MANIFEST = 64 * 1024

export function isPartName(name: string): boolean {
  return NAME.test(name)
}
