import { closeSync, createReadStream, fstatSync, openSync } from 'node:fs'
import { snapshotPath } from './layout.ts'
import { SNAPSHOT_HEADER } from './snapshot.ts'

/** A snapshot that stays readable however many checkpoints come: an open file outlives its name. */
export interface HeldSnapshot {
  /** Of the SQLite file that it holds. */
  bytes: number
  /** The SQLite file from its beginning, in pieces; may be read more than once. */
  read(): AsyncIterable<Buffer>
  release(): void
}

const PIECE = 256 * 1024

/** @throws when the file cannot be opened */
export function holdSnapshot(directory: string, generation: number): HeldSnapshot {
  const path = snapshotPath(directory, generation)
  const fd = openSync(path, 'r')
  return {
    bytes: fstatSync(fd).size - SNAPSHOT_HEADER,
    read: () => createReadStream(path, { fd, autoClose: false, start: SNAPSHOT_HEADER, highWaterMark: PIECE }),
    release: () => closeSync(fd),
  }
}
