import { expect, it } from 'vitest'
import {
  JOURNAL_HEADER,
  decodeFrame,
  decodeJournalHeader,
  encodeFrame,
  encodeJournalHeader,
  scanJournal,
} from '../../../server/storage/sqljs/frame.ts'
import { decodeSnapshot, encodeSnapshotHeader } from '../../../server/storage/sqljs/snapshot.ts'

const journal = (...parts: Uint8Array[]): Buffer =>
  Buffer.concat([encodeJournalHeader(7), ...parts, Buffer.alloc(4096)])
const frames = [
  encodeFrame('batch', 7, 1, '[["a"]]'),
  encodeFrame('batch', 7, 2, '[["ü"]]'),
  encodeFrame('seal', 7, 3, ''),
] as const

it('reads back what it wrote, up to the seal', () => {
  const scan = scanJournal(journal(...frames), 7)
  expect(scan.frames.map((frame) => frame.payload.toString())).toEqual(['[["a"]]', '[["ü"]]', ''])
  expect(scan).toMatchObject({ sealed: true, hole: false, end: JOURNAL_HEADER + Buffer.concat(frames).length })
})

it('takes no frame of another generation, and none out of order', () => {
  expect(scanJournal(journal(encodeFrame('batch', 6, 1, '[]')), 7)).toMatchObject({ frames: [], hole: false })
  expect(scanJournal(journal(frames[0], frames[0]), 7)).toMatchObject({ hole: true })
  expect(scanJournal(journal(frames[1]), 7)).toMatchObject({ frames: [], hole: true })
})

it('notices a frame beyond a zeroed place: a lost sector is not the end of the journal', () => {
  expect(scanJournal(journal(frames[0], Buffer.alloc(frames[1].length), frames[2]), 7)).toMatchObject({ hole: true })
})

it('detects each changed bit of a frame', () => {
  for (let bit = 0; bit < frames[1].length * 8; bit++) {
    const bent = Buffer.from(frames[1])
    bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(decodeFrame(Buffer.concat([bent, Buffer.alloc(64)]), 0, 7)).toBeUndefined()
  }
})

it('detects each changed byte of a file header', () => {
  for (let at = 0; at < JOURNAL_HEADER; at++) {
    const bent = encodeJournalHeader(7)
    bent[at] = (bent[at] ?? 0) ^ 0x10
    expect(decodeJournalHeader(bent).state).toBe('damaged')
  }
})

it('detects each changed byte of a snapshot', () => {
  const bytes = Buffer.from('the bytes of a database')
  const file = Buffer.concat([encodeSnapshotHeader(7, bytes), bytes])
  expect(decodeSnapshot(file, 7)).toEqual({ state: 'ok', bytes })
  expect(decodeSnapshot(file, 8).state).toBe('damaged')
  for (let at = 0; at < file.length; at++) {
    const bent = Buffer.from(file)
    bent[at] = (bent[at] ?? 0) ^ 0x10
    expect(decodeSnapshot(bent, 7).state).toBe('damaged')
    expect(decodeSnapshot(file.subarray(0, at), 7).state).toBe('damaged')
  }
})
