import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Extract } from 'tar-stream'
import { plantDatabase } from '../storage/sqljs/plant.ts'
import {
  DATABASE,
  FORMAT,
  isPartName,
  LARGEST_MANIFEST,
  MANIFEST,
  type Manifest,
  manifestSchema,
  type Part,
} from './manifest.ts'
import { BackupError } from './sealed.ts'

/** One of an archive: its header, and its content in pieces. */
type Source = Extract extends AsyncIterable<infer One> ? One : never

export interface UnpackOptions {
  /** An empty directory. */
  into: string
  /** Told how much of all parts has come. */
  at: (bytes: number, of: number) => void
  signal: AbortSignal
}

/**
 * Unpacks an archive, checking everything that its manifest says. Nothing is written outside the directory, and nothing larger than
 * the manifest allows. Rejects with `BackupError` when anything is not as it should be.
 */
export async function unpackBackup(archive: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<Manifest> {
  const { extract } = await import('tar-stream')
  const entries = extract()
  const feeding = pipeline(Readable.from(archive), entries, { signal: options.signal })
  // The loop below hears of its end, too.
  feeding.catch(() => {})
  let manifest: Manifest | undefined
  let left = new Map<string, Part>()
  let before = 0
  let total = 0
  try {
    for await (const entry of entries) {
      const { name, type } = entry.header
      if (!manifest) {
        manifest = await readManifest(entry)
        left = new Map(manifest.parts.map((one) => [one.name, one]))
        total = manifest.parts.reduce((sum, { bytes }) => sum + bytes, 0)
        continue
      }
      const part = left.get(name)
      if (!part || type !== 'file' || !isPartName(name) || entry.header.size !== part.bytes)
        throw foreign(`it holds something that its list does not: ${name.slice(0, 100).replace(/[^\x20-\x7e]/g, '?')}`)
      left.delete(name)
      const base = before
      await unpackPart(entry, part, options.into, (bytes) => options.at(base + bytes, total))
      before += part.bytes
    }
    await feeding
  } catch (error) {
    entries.destroy()
    options.signal.throwIfAborted()
    // What the outer layer says is nearer to the cause than what its end did to the inner one.
    await feeding.catch((cause: unknown) => {
      if (cause instanceof BackupError) throw cause
    })
    throw error instanceof BackupError ? error : readable(error)
  }
  if (!manifest) throw foreign('it is empty')
  const [missing] = left.keys()
  if (missing !== undefined) throw foreign(`${missing} is missing`)
  return manifest
}

async function* bytesOf(entry: Source): AsyncGenerator<Buffer> {
  for await (const piece of entry)
    if (piece instanceof Uint8Array) yield Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
}

async function readManifest(entry: Source): Promise<Manifest> {
  if (entry.header.name !== MANIFEST || (entry.header.size ?? 0) > LARGEST_MANIFEST)
    throw foreign('it does not begin with a list of its content')
  const pieces: Buffer[] = []
  for await (const piece of bytesOf(entry)) pieces.push(piece)
  const found = parseJson(Buffer.concat(pieces).toString('utf8'))
  const parsed = manifestSchema.safeParse(found)
  if (parsed.success) return parsed.data
  if (isNewer(found))
    throw new BackupError('NEWER', 'The backup was made by a newer version of Latchkey: update this one first.')
  throw foreign('the list of its content makes no sense')
}

async function unpackPart(
  entry: Source,
  { name, bytes, sha256 }: Part,
  into: string,
  at: (bytes: number) => void,
): Promise<void> {
  const hash = createHash('sha256')
  let done = 0
  async function* pieces() {
    for await (const piece of bytesOf(entry)) {
      hash.update(piece)
      done += piece.length
      at(done)
      yield piece
    }
  }
  if (name === DATABASE) await plantDatabase(into, pieces(), bytes)
  else await writeFile(join(into, name), pieces())
  if (hash.digest('hex') !== sha256) throw foreign(`${name} is not what was packed`)
}

async function writeFile(path: string, pieces: AsyncIterable<Buffer>): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const handle = await open(path, 'wx', 0o600)
  try {
    for await (const piece of pieces) await handle.writeFile(piece)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function foreign(reason: string): BackupError {
  return new BackupError('NOT_A_BACKUP', `The file could be opened, but it is no backup of Latchkey: ${reason}.`)
}

/** The disk has its own words; what else goes wrong here is the archive's fault. */
function readable(error: unknown): unknown {
  const isSystem = error instanceof Error && 'syscall' in error
  return isSystem ? error : foreign(error instanceof Error ? error.message : String(error))
}

function isNewer(found: unknown): boolean {
  return typeof found === 'object' && found !== null && 'format' in found && Number(found.format) > FORMAT
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
