import { createHash } from 'node:crypto'
import type { Seal } from '../../api/audit-export.ts'
import type { FiledEntry, Line } from './audit-file.ts'
import { createGaps } from './audit-gaps.ts'
import { HASH_OF_NOTHING, hashOfFields } from './audit-hash.ts'
import { isGenuine } from './audit-seal.ts'

/** Faults that are told one by one; more are counted. */
const MOST_TOLD = 1_000

/** What is wrong with an export. */
export type Fault =
  | { fault: 'changed' | 'misplaced' | 'doubled'; seq: number }
  | { fault: 'missing'; from: number; to: number }
  | { fault: 'unreadable'; line: number }
  /** Nothing shows whether the end was cut off, or entries were left out. */
  | { fault: 'no_seal' }
  /** The seal was changed, or made with another key than it names. */
  | { fault: 'seal_forged' }
  | { fault: 'entries_differ'; sealed: number; found: number }
  /** These are not the entries that were sealed. */
  | { fault: 'content_differs' }
  | { fault: 'after_seal'; line: number }

export interface Report {
  entries: number
  first_seq: number | null
  last_seq: number | null
  /** All of the chain from the first entry to the last, by its seal; else a filter chose some of them. */
  complete: boolean
  seal: Seal | null
  /** The first of them. */
  faults: Fault[]
  fault_count: number
}

interface Trim {
  through_seq: number
  through_hash: string
}

/** An entry that was met, as the next one may be chained to it. */
interface Met {
  seq: number
  stated: string
  own: string
  isSound: boolean
}

/** Checks an export line by line, in the order of the file. */
export interface Verification {
  take(line: Line, number: number): void
  end(): Report
}

/**
 * Each entry must have the hash that it names, and name the hash of the entry before it. An entry that does not stand
 * where its number belongs is held until the next one shows whether it came too early or others are missing.
 */
export function createVerification(): Verification {
  const faults: Fault[] = []
  const digest = createHash('sha256')
  const gaps = createGaps()
  /** Those that stood too early: the entry after each will be chained to it. */
  const early = new Map<number, Met>()
  const trims: Trim[] = []
  let fault_count = 0
  let entries = 0
  let first: FiledEntry | undefined
  let last: Met | undefined
  let held: { entry: FiledEntry; met: Met } | undefined
  let sealed: Seal | undefined

  function tell(fault: Fault): void {
    fault_count += 1
    if (faults.length < MOST_TOLD) faults.push(fault)
  }

  function takeEntry(filed: FiledEntry): void {
    entries += 1
    digest.update(`${filed.hash}\n`)
    const own = hashOfFields(filed, filed.at)
    const isSound = own === filed.hash
    const entry = isSound ? filed : withItsNumber(filed, expected())
    if (!isSound) tell({ fault: 'changed', seq: entry.seq })
    if (isSound && filed.event === 'audit_trimmed') noteTrim(filed)
    place(entry, { seq: entry.seq, stated: filed.hash, own, isSound })
  }

  function expected(): number | undefined {
    while (last && early.has(last.seq + 1)) last = early.get(last.seq + 1)
    return last && last.seq + 1
  }

  function place(entry: FiledEntry, met: Met): void {
    const next = expected()
    if (held && next !== undefined) {
      const before = held
      held = undefined
      if (entry.seq === next) comesEarly(before.met)
      else leapTo(next, before.met)
      return place(entry, met)
    }
    if (next === undefined || !first) {
      first = entry
      last = met
    } else if (entry.seq === next) {
      checkLink(entry, met)
      last = met
    } else if (entry.seq > next) held = { entry, met }
    else comesLate(entry, first)
  }

  function comesEarly(met: Met): void {
    tell({ fault: early.has(met.seq) ? 'doubled' : 'misplaced', seq: met.seq })
    early.set(met.seq, met)
  }

  /** Others are missing between. */
  function leapTo(next: number, met: Met): void {
    gaps.add(next, met.seq - 1)
    last = met
  }

  function comesLate(entry: FiledEntry, before: FiledEntry): void {
    if (entry.seq >= before.seq) {
      tell({ fault: gaps.fill(entry.seq) ? 'misplaced' : 'doubled', seq: entry.seq })
      return
    }
    tell({ fault: 'misplaced', seq: entry.seq })
    gaps.add(entry.seq + 1, before.seq - 1)
    first = entry
  }

  /** Whoever changed an entry and its hash with it is found out by the next one. */
  function checkLink(entry: FiledEntry, met: Met): void {
    if (!last?.isSound || !met.isSound) return
    if (entry.previous !== last.stated) tell({ fault: 'changed', seq: last.seq })
  }

  function noteTrim({ seq, detail }: FiledEntry): void {
    const trim = trimOf(detail)
    if (trim) trims.push(trim)
    else tell({ fault: 'changed', seq })
  }

  /** An export of everything begins with entry 1, or where an entry in it says that the ones before were trimmed. */
  function checkBeginning({ seq, previous }: FiledEntry): void {
    const before = seq - 1
    const proved = before === 0 ? HASH_OF_NOTHING : trims.find((trim) => trim.through_seq === before)?.through_hash
    if (proved === undefined) {
      const gone = trims.map(({ through_seq }) => through_seq).filter((through) => through < before)
      tell({ fault: 'missing', from: Math.max(0, ...gone) + 1, to: before })
    } else if (previous !== proved) tell({ fault: 'changed', seq })
  }

  function checkSeal(seal: Seal): void {
    if (!isGenuine(seal)) return tell({ fault: 'seal_forged' })
    const end = last?.seq ?? 0
    const isCut = seal.complete && seal.last_seq !== null && seal.last_seq > end
    if (isCut) tell({ fault: 'missing', from: end + 1, to: seal.last_seq ?? 0 })
    if (fault_count > 0) return
    if (seal.entries !== entries) tell({ fault: 'entries_differ', sealed: seal.entries, found: entries })
    else if (seal.digest !== digest.digest('base64url')) tell({ fault: 'content_differs' })
  }

  return {
    take(line, number) {
      if (line === 'header' || line === 'unfinished') return
      if (sealed) return tell({ fault: 'after_seal', line: number })
      if (line === 'unreadable') return tell({ fault: 'unreadable', line: number })
      if ('seal' in line) sealed = line.seal
      else takeEntry(line.entry)
    },

    end() {
      const next = expected()
      if (held && next !== undefined) leapTo(next, held.met)
      held = undefined
      expected()
      const complete = sealed?.complete ?? true
      if (complete) for (const [from, to] of gaps.ranges()) tell({ fault: 'missing', from, to })
      if (complete && first) checkBeginning(first)
      if (sealed) checkSeal(sealed)
      else tell({ fault: 'no_seal' })
      return {
        entries,
        first_seq: first?.seq ?? null,
        last_seq: last?.seq ?? null,
        complete,
        seal: sealed ?? null,
        faults,
        fault_count,
      }
    },
  }
}

/** The entry with the number of its place, where that is what its hash was made with: then the number was changed. */
function withItsNumber(entry: FiledEntry, expected: number | undefined): FiledEntry {
  if (expected === undefined) return entry
  const numbered = { ...entry, seq: expected }
  return hashOfFields(numbered, entry.at) === entry.hash ? numbered : entry
}

/** What an entry says was trimmed; undefined when no server wrote that. */
function trimOf(detail: string): Trim | undefined {
  const { through_seq, through_hash }: Record<string, unknown> = { ...parse(detail) }
  if (!Number.isSafeInteger(through_seq) || typeof through_seq !== 'number') return undefined
  return typeof through_hash === 'string' ? { through_seq, through_hash } : undefined
}

function parse(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}
