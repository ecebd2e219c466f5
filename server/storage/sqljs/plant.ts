import { mkdirSync } from 'node:fs'
import { crc32 } from 'node:zlib'
import { nodeFiles, writeAll } from './files.ts'
import { createJournalFile } from './journal.ts'
import { snapshotPath } from './layout.ts'
import { SNAPSHOT_HEADER, snapshotHeader } from './snapshot.ts'
import { createSyncPace } from './sync-pace.ts'

/** Generation 1 begins with the empty database, so a planted one begins with the next. */
const GENERATION = 2

/**
 * Makes a directory hold this SQLite file as its database, as if a checkpoint had just been made of it. The directory must hold
 * none yet. Memory stays bounded; `pieces` must be `bytes` long in all. Durable when the promise fulfils.
 */
export async function plantDatabase(
  directory: string,
  pieces: AsyncIterable<Uint8Array>,
  bytes: number,
): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const files = nodeFiles
  const path = snapshotPath(directory, GENERATION)
  const fd = files.open(`${path}.new`, 'wx')
  try {
    let checksum = 0
    let at = SNAPSHOT_HEADER
    for await (const piece of pieces) {
      checksum = crc32(piece, checksum)
      await writeAll(files, fd, piece, at)
      at += piece.length
    }
    if (at - SNAPSHOT_HEADER !== bytes) throw new Error(`${at - SNAPSHOT_HEADER} bytes came instead of ${bytes}`)
    await writeAll(files, fd, snapshotHeader(GENERATION, bytes, checksum), 0)
    await files.sync(fd)
  } finally {
    files.close(fd)
  }
  await files.rename(`${path}.new`, path)
  await createJournalFile({ files, directory, pace: createSyncPace() }, GENERATION)
  await files.syncDirectory(directory)
}
