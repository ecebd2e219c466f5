import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Pack } from 'tar-stream'
import type { DatabaseSnapshot } from '../storage/port.ts'
import { DATABASE, FORMAT, isPartName, KEYRING, MANIFEST, type Manifest } from './manifest.ts'

/** What a backup is made of. */
export interface BackupSource {
  directory: string
  version: string
  clock: () => number
  /** The keys as they would stand in a file without protection. */
  keyring: () => string
  /** Absent: the database is elsewhere, or not wanted. */
  snapshot?: (() => Promise<DatabaseSnapshot>) | undefined
}

/** The archive, not yet encrypted. Whoever has it reads it to its end or destroys it. */
export interface PackedBackup {
  bytes: number
  stream: Readable
}

interface Content {
  name: string
  bytes: number
  read: () => AsyncIterable<Buffer>
}

/** A tar archive consists of these. */
const BLOCK = 512

/** Gathers the parts; the archive is made while it is read. Rejects when the database cannot be copied now. */
export async function packBackup({
  directory,
  version,
  clock,
  keyring,
  snapshot,
}: BackupSource): Promise<PackedBackup> {
  const small = [inMemory(KEYRING, Buffer.from(keyring())), ...(await tlsFiles(directory))]
  const held = await snapshot?.()
  try {
    const database = held ? [{ name: DATABASE, bytes: held.bytes, read: () => held.read() }] : []
    const contents = [...database, ...small]
    const manifest: Manifest = {
      format: FORMAT,
      version,
      made_at: new Date(clock()).toISOString(),
      engine: held ? 'embedded' : 'postgres',
      parts: await Promise.all(contents.map(describe)),
    }
    const all = [inMemory(MANIFEST, Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`)), ...contents]
    const { pack } = await import('tar-stream')
    const archive = pack()
    archive.once('close', () => held?.release())
    void fill(archive, all, clock()).catch((error: unknown) => archive.destroy(asError(error)))
    return { bytes: sizeOf(all), stream: Readable.from(archive, { objectMode: false }) }
  } catch (error) {
    held?.release()
    throw error
  }
}

async function fill(archive: Pack, contents: readonly Content[], at: number): Promise<void> {
  const gone = new AbortController()
  archive.once('close', () => gone.abort())
  for (const { name, bytes, read } of contents) {
    const entry = archive.entry({ name, size: bytes, mode: 0o600, mtime: new Date(at) })
    for await (const piece of read()) if (!entry.write(piece)) await once(entry, 'drain', { signal: gone.signal })
    const taken = once(entry, 'finish', { signal: gone.signal })
    entry.end(Buffer.alloc(0))
    await taken
  }
  archive.finalize()
}

/** Each part has a header of one block and is padded to whole ones; two empty ones end the archive. */
function sizeOf(contents: readonly Content[]): number {
  return contents.reduce((sum, { bytes }) => sum + BLOCK + Math.ceil(bytes / BLOCK) * BLOCK, 2 * BLOCK)
}

async function describe({ name, bytes, read }: Content) {
  const hash = createHash('sha256')
  for await (const piece of read()) hash.update(piece)
  return { name, bytes, sha256: hash.digest('hex') }
}

function inMemory(name: string, content: Buffer): Content {
  return {
    name,
    bytes: content.length,
    async *read() {
      yield content
    },
  }
}

/** Certificates and keys, where there are any. */
async function tlsFiles(directory: string): Promise<Content[]> {
  const folder = join(directory, 'tls')
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isFile() && isPartName(`tls/${entry.name}`)).map(({ name }) => name)
  return Promise.all(names.toSorted().map(async (name) => inMemory(`tls/${name}`, await readFile(join(folder, name)))))
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
