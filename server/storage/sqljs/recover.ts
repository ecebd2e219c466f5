import type { SqlJsStatic } from 'sql.js'
import { createEngine } from './engine.ts'
import type { Engine } from './engine.ts'
import { StorageOpenError } from '../errors.ts'
import { systemCode } from './errors.ts'
import type { Files } from './files.ts'
import { decodeJournalHeader, isZero, scanJournal } from './frame.ts'
import type { JournalScan } from './frame.ts'
import { journalPath, readLayout, snapshotPath } from './layout.ts'
import { replayFrames } from './replay.ts'
import { decodeSnapshot } from './snapshot.ts'

/** The state that a directory holds, in memory, and where to go on writing. Nothing on disk was changed. */
export interface Recovered {
  engine: Engine
  /** Generation of the snapshot it started from; 1 is the empty database. */
  base: number
  /** Generations of newer snapshots that were found damaged. */
  damaged: { generation: number; reason: string }[]
  /** The journal to go on with. */
  active: { generation: number; end: number; sequence: number; sealed: boolean; dirty: boolean; statements: string[] }
  /** Bytes of journal replayed. */
  replayed: number
}

export interface RecoverOptions {
  files: Files
  sqljs: SqlJsStatic
  directory: string
  /** Stop before this generation's journal: all read journals must be sealed. */
  before?: number
  /** Ignore what lies beyond this place: it belongs to commits whose callers were told that they failed. */
  cut?: { generation: number; end: number }
}

/**
 * Rebuilds the database from the highest usable snapshot and the journals from there on. Holds the thread:
 * about 2 ms per MB of snapshot and 20 us per journaled statement.
 * @throws StorageOpenError DATABASE_CORRUPT | DATABASE_NEWER | DATA_DIR_UNREADABLE
 */
export function recover(options: RecoverOptions): Recovered {
  const { files, directory, before = Infinity } = options
  const layout = readLayout(files, directory)
  const journals = layout.journals.filter((generation) => generation < before)
  const damaged: Recovered['damaged'] = []
  const bases = layout.snapshots.filter((generation) => generation < before)
  for (const base of journals[0] === 1 && !bases.includes(1) ? [...bases, 1] : bases) {
    const bytes = bases.includes(base) ? readSnapshot(options, base, damaged) : undefined
    if (bytes === 'damaged') continue
    // The journals older than the snapshot are not read: they only matter when it is damaged.
    return rebuild(
      options,
      base,
      bytes,
      journals.filter((generation) => generation >= base),
      damaged,
    )
  }
  const [worst] = damaged
  if (worst)
    throw corrupt(
      snapshotPath(directory, worst.generation),
      `${worst.reason}, and no older snapshot with its journals is left to start from`,
    )
  throw corrupt(journalPath(directory, journals[0] ?? 1), 'the snapshot it applies on is missing')
}

function readSnapshot(
  { files, directory }: RecoverOptions,
  generation: number,
  damaged: Recovered['damaged'],
): Uint8Array | 'damaged' {
  const path = snapshotPath(directory, generation)
  const read = decodeSnapshot(readFile(files, path, 'is damage'), generation)
  if (read.state === 'newer') throw newer(path, read.format)
  if (read.state === 'ok') return read.bytes
  damaged.push({ generation, reason: read.reason })
  return 'damaged'
}

function rebuild(
  options: RecoverOptions,
  base: number,
  bytes: Uint8Array | undefined,
  journals: number[],
  damaged: Recovered['damaged'],
): Recovered {
  const { directory, before } = options
  const scans = journals.map((generation, index) => {
    if (generation !== base + index) throw corrupt(journalPath(directory, base + index), 'it is missing')
    return { generation, ...readJournal(options, generation) }
  })
  // The next journal is made just before the last is sealed; a crash between the two leaves it empty.
  const [lastButOne, last] = scans.slice(-2)
  if (last && lastButOne && !lastButOne.sealed && last.frames.length === 0 && !last.dirty) scans.pop()
  const active = scans.at(-1)
  if (!active || (before !== undefined && active.generation !== before - 1))
    throw corrupt(journalPath(directory, before ?? base), 'it is missing')
  if (before === undefined && active.sealed)
    throw corrupt(journalPath(directory, active.generation + 1), 'it is missing, but the journal before it is complete')
  for (const scan of before === undefined ? scans.slice(0, -1) : scans) {
    if (!scan.sealed) throw corrupt(journalPath(directory, scan.generation), `it is damaged at byte ${scan.end}`)
  }
  let statements: string[] = []
  const engine = openBytes(options, base, bytes)
  try {
    for (const scan of scans) {
      const path = journalPath(directory, scan.generation)
      statements = guarded(path, () => replayFrames(engine, scan.frames))
    }
  } catch (error) {
    engine.close()
    throw error
  }
  const replayed = scans.reduce((sum, scan) => sum + scan.end, 0)
  const { generation, end, sealed, dirty, frames } = active
  return {
    engine,
    base,
    damaged,
    replayed,
    active: { generation, end, sequence: frames.length, sealed, dirty, statements },
  }
}

function openBytes({ sqljs, directory }: RecoverOptions, base: number, bytes: Uint8Array | undefined): Engine {
  return guarded(snapshotPath(directory, base), () => createEngine(sqljs, bytes))
}

interface ReadJournal extends JournalScan {
  /** Bytes other than zero follow `end`. */
  dirty: boolean
}

/** Checks one journal as far as it can be checked alone. */
function readJournal({ files, directory, cut }: RecoverOptions, generation: number): ReadJournal {
  const path = journalPath(directory, generation)
  const whole = readFile(files, path, 'is fatal')
  const file = cut?.generation === generation ? whole.subarray(0, cut.end) : whole
  const header = decodeJournalHeader(file)
  if (header.state === 'newer') throw newer(path, header.format)
  if (header.state === 'damaged') throw corrupt(path, 'its header is damaged')
  if (header.generation !== generation) throw corrupt(path, 'it belongs to another generation than its name')
  const scan = scanJournal(file, generation)
  if (scan.hole) throw corrupt(path, `it is damaged at byte ${scan.end}, before commits that were acknowledged`)
  return { ...scan, dirty: !isZero(whole.subarray(scan.end)) }
}

/** A bad sector in a snapshot reads as an empty file: the one before may do. In a journal it is the end. */
function readFile(files: Files, path: string, badSector: 'is damage' | 'is fatal'): Buffer {
  try {
    return files.read(path)
  } catch (cause) {
    if (badSector === 'is damage' && systemCode(cause) === 'EIO') return Buffer.alloc(0)
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new StorageOpenError(
      'DATA_DIR_UNREADABLE',
      `${path} cannot be read: check its owner and its disk (${reason})`,
      { cause },
    )
  }
}

function guarded<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw corrupt(path, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function corrupt(path: string, reason: string, cause?: unknown): StorageOpenError {
  const advice = 'Nothing was changed. Keep a copy of the whole data directory and restore a backup'
  return new StorageOpenError('DATABASE_CORRUPT', `${path} cannot be used: ${reason}. ${advice}`, { cause })
}

function newer(path: string, format: number): StorageOpenError {
  return new StorageOpenError(
    'DATABASE_NEWER',
    `${path} has format ${format}, which a newer version wrote: update this program. Nothing was changed`,
  )
}
