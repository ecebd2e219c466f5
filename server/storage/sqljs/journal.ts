import type { Files } from './files.ts'
import { writeAll, writeAllSync } from './files.ts'
import { encodeFrame, encodeJournalHeader } from './frame.ts'
import type { FrameKind } from './frame.ts'
import { journalPath } from './layout.ts'
import { encodeBatch } from './replay.ts'
import type { Recorded } from './replay.ts'
import type { SyncPace } from './sync-pace.ts'

/** A journal file is open for writing. One write at a time: the caller sees to that. */
export interface Journal {
  readonly generation: number
  /** Offset of the first byte after the last durable frame. */
  end(): number
  isEmpty(): boolean
  /**
   * Writes one batch. When it returns undefined, or when the promise resolves, it is durable.
   * After an error the file's tail is unknown: recover from disk up to `end()`.
   */
  append(statements: readonly Recorded[]): Promise<void> | undefined
  /** Writes the last frame. */
  seal(): Promise<void>
  close(): Promise<void>
}

export interface JournalOptions {
  files: Files
  directory: string
  pace: SyncPace
}

/** The file grows by this many zeros at a time, so that a commit changes no file size and needs no second sync. */
const CHUNK = 1024 * 1024
const ZEROS = Buffer.alloc(64 * 1024)
/** Frames longer than this are written in the background. */
const SYNC_BYTES = 128 * 1024

/** Makes the next journal file, empty, durable and in its place. Whole or absent after a crash. */
export async function createJournalFile({ files, directory }: JournalOptions, generation: number): Promise<void> {
  const path = journalPath(directory, generation)
  const fd = files.open(`${path}.new`, 'w')
  try {
    await writeZeros(files, fd, 0, CHUNK)
    await writeAll(files, fd, encodeJournalHeader(generation), 0)
    await files.sync(fd)
  } finally {
    files.close(fd)
  }
  await files.rename(`${path}.new`, path)
  await files.syncDirectory(directory)
}

export interface JournalPlace {
  generation: number
  end: number
  sequence: number
  /** Texts of the statements the file already holds, by number. */
  statements: readonly string[]
  /** Whether something unwanted lies beyond `end`; it is overwritten with zeros. */
  dirty: boolean
}

/** Opens a journal file to go on at `place`. */
export async function openJournal(options: JournalOptions, place: JournalPlace): Promise<Journal> {
  const { files, directory } = options
  const fd = files.open(journalPath(directory, place.generation), 'r+')
  try {
    const allocated = files.size(fd)
    if (place.dirty) {
      await writeZeros(files, fd, place.end, allocated)
      await files.sync(fd)
    }
    return startJournal(options, place, fd, allocated)
  } catch (error) {
    files.close(fd)
    throw error
  }
}

function startJournal({ files, pace }: JournalOptions, place: JournalPlace, fd: number, size: number): Journal {
  const { generation } = place
  const numbers = new Map(place.statements.map((sql, number) => [sql, number]))
  let { end, sequence } = place
  let allocated = size
  let growing: Promise<void> | undefined

  async function grow(atLeast: number): Promise<void> {
    const until = Math.max(atLeast, allocated + CHUNK)
    await writeZeros(files, fd, allocated, until)
    await files.sync(fd)
    allocated = until
  }

  /** Grows ahead of need. A failure shows when the room is needed. */
  function growAhead(): void {
    if (growing || allocated - end > CHUNK / 2) return
    growing = grow(0)
      .catch(() => {})
      .finally(() => (growing = undefined))
  }

  function written(frame: Buffer): void {
    end += frame.length
    sequence += 1
    growAhead()
  }

  async function writeInBackground(frame: Buffer): Promise<void> {
    while (growing && end + frame.length > allocated) await growing
    if (end + frame.length > allocated) await grow(end + frame.length)
    // Small writes go to the page cache at once: a trip through the thread pool would cost more than the copy. Not so
    // beside a checkpoint: the file system's own journal may then keep a write waiting.
    if (frame.length <= SYNC_BYTES && !pace.isBusy()) writeAllSync(files, fd, frame, end)
    else await writeAll(files, fd, frame, end)
    await pace.timed(() => files.sync(fd))
    written(frame)
  }

  function write(kind: FrameKind, payload: string): Promise<void> | undefined {
    const frame = encodeFrame(kind, generation, sequence + 1, payload)
    if (!pace.fast() || frame.length > SYNC_BYTES || end + frame.length > allocated) return writeInBackground(frame)
    pace.timedSync(() => {
      writeAllSync(files, fd, frame, end)
      files.syncSync(fd)
    })
    written(frame)
    return undefined
  }

  return {
    generation,
    end: () => end,
    isEmpty: () => sequence === 0,
    append: (statements) => write('batch', encodeBatch(statements, numbers)),
    seal: async () => write('seal', ''),
    async close() {
      await growing
      files.close(fd)
    },
  }
}

async function writeZeros(files: Files, fd: number, from: number, until: number): Promise<void> {
  for (let at = from; at < until; at += ZEROS.length) {
    await writeAll(files, fd, ZEROS.subarray(0, Math.min(ZEROS.length, until - at)), at)
  }
}
