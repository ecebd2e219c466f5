import { join } from 'node:path'
import type { Files } from './files.ts'

/**
 * What lies in a data directory. Generations count from 1: journal k applies on snapshot k, and generation 1 starts
 * from the empty database, so it has no snapshot.
 *
 *   lock                    held by the process that serves the directory
 *   00000007.snapshot       the state at the start of generation 7
 *   00000007.journal        what was committed since
 *   *.new                   unfinished, removed at the next opening
 *   *.damaged               a snapshot that failed its checksum, set aside and never read
 */
export interface Layout {
  /** Generations that have a snapshot, highest first. */
  snapshots: number[]
  /** Generations that have a journal, lowest first. */
  journals: number[]
  /** Names of unfinished files. */
  unfinished: string[]
}

const NAME = /^(\d{8})\.(snapshot|journal)(\.new)?$/

export const snapshotName = (generation: number): string => `${String(generation).padStart(8, '0')}.snapshot`
export const journalName = (generation: number): string => `${String(generation).padStart(8, '0')}.journal`

export const snapshotPath = (directory: string, generation: number): string => join(directory, snapshotName(generation))
export const journalPath = (directory: string, generation: number): string => join(directory, journalName(generation))

/** Reads the directory; touches nothing. */
export function readLayout(files: Files, directory: string): Layout {
  const layout: Layout = { snapshots: [], journals: [], unfinished: [] }
  for (const name of files.list(directory)) {
    const match = NAME.exec(name)
    if (!match) continue
    if (match[3]) layout.unfinished.push(name)
    else if (match[2] === 'snapshot') layout.snapshots.push(Number(match[1]))
    else layout.journals.push(Number(match[1]))
  }
  layout.snapshots.sort((a, b) => b - a)
  layout.journals.sort((a, b) => a - b)
  return layout
}
