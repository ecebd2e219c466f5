import { crc32 } from 'node:zlib'
import type { Files } from './files.ts'
import { writeAll } from './files.ts'
import { snapshotPath } from './layout.ts'

/**
 * A snapshot file: a header of 64 bytes, then the plain bytes of an SQLite database file.
 *
 *   0 magic "LATCHKYS"  8 format u32  12 generation u32  16 byte length u64  24 crc32 of the bytes
 *   28-59 zeros         60 crc32 of 0-59                                      (little-endian)
 */
const SNAPSHOT_FORMAT = 1
export const SNAPSHOT_HEADER = 64
const MAGIC = Buffer.from('LATCHKYS', 'latin1')
const CHUNK = 1024 * 1024
/** Bytes written between two syncs, so that no long queue builds up in front of the journal's own syncs. */
const SYNC_EVERY = 8 * CHUNK

export type SnapshotRead =
  { state: 'ok'; bytes: Buffer } | { state: 'damaged'; reason: string } | { state: 'newer'; format: number }

export function encodeSnapshotHeader(generation: number, bytes: Uint8Array, format = SNAPSHOT_FORMAT): Buffer {
  return snapshotHeader(generation, bytes.length, crc32(bytes), format)
}

/** The header of so many bytes with this checksum. */
export function snapshotHeader(generation: number, length: number, checksum: number, format = SNAPSHOT_FORMAT): Buffer {
  const header = Buffer.alloc(SNAPSHOT_HEADER)
  MAGIC.copy(header, 0)
  header.writeUInt32LE(format, 8)
  header.writeUInt32LE(generation, 12)
  header.writeBigUInt64LE(BigInt(length), 16)
  header.writeUInt32LE(checksum, 24)
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60)
  return header
}

/** Checks a snapshot file that was read whole. */
export function decodeSnapshot(file: Buffer, generation: number): SnapshotRead {
  if (file.length < SNAPSHOT_HEADER || !file.subarray(0, 8).equals(MAGIC))
    return { state: 'damaged', reason: 'it does not start with a snapshot header' }
  if (crc32(file.subarray(0, 60)) !== file.readUInt32LE(60))
    return { state: 'damaged', reason: 'its header fails its checksum' }
  const format = file.readUInt32LE(8)
  if (format > SNAPSHOT_FORMAT) return { state: 'newer', format }
  if (file.readUInt32LE(12) !== generation)
    return { state: 'damaged', reason: 'it belongs to another generation than its name' }
  const bytes = file.subarray(SNAPSHOT_HEADER)
  if (BigInt(bytes.length) !== file.readBigUInt64LE(16))
    return { state: 'damaged', reason: 'its length differs from its header' }
  if (crc32(bytes) !== file.readUInt32LE(24)) return { state: 'damaged', reason: 'it fails its checksum' }
  return { state: 'ok', bytes }
}

/** Writes a snapshot beside its place, syncs it, and renames it there. Whole or absent after a crash. */
export async function writeSnapshot(
  files: Files,
  directory: string,
  generation: number,
  bytes: Uint8Array,
): Promise<void> {
  const path = snapshotPath(directory, generation)
  const fd = files.open(`${path}.new`, 'w')
  try {
    await writeAll(files, fd, encodeSnapshotHeader(generation, bytes), 0)
    for (let at = 0; at < bytes.length; at += CHUNK) {
      await writeAll(files, fd, bytes.subarray(at, at + CHUNK), SNAPSHOT_HEADER + at)
      if (at > 0 && at % SYNC_EVERY === 0) await files.sync(fd)
    }
    await files.sync(fd)
  } finally {
    files.close(fd)
  }
  await files.rename(`${path}.new`, path)
  await files.syncDirectory(directory)
}
