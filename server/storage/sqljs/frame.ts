import { crc32 } from 'node:zlib'

/**
 * The journal's bytes. A file starts with a header of 64 bytes; frames follow without gaps; the rest is zeros.
 *
 *   file header   0 magic "LATCHKYJ"  8 format u32  12 generation u32  16-59 zeros  60 crc32 of 0-59
 *   frame header  0 magic             4 kind u32    8 payload length u32            12 generation u32
 *                 16 sequence u64     24 crc32 of 0-23 and the payload              28 zeros
 *
 * All numbers little-endian. Sequences count from 1 in each file without holes. The frame magic holds bytes that no
 * UTF-8 text contains, so it never occurs inside a payload.
 */
const JOURNAL_FORMAT = 1
export const JOURNAL_HEADER = 64
const FRAME_HEADER = 32
const FILE_MAGIC = Buffer.from('LATCHKYJ', 'latin1')
const FRAME_MAGIC = Buffer.from([0xf5, 0x4c, 0x4b, 0xf9])

/** `batch`: a JSON array of statements. `seal`: no payload; the file is complete and the next one exists. */
export type FrameKind = 'batch' | 'seal'

export interface Frame {
  kind: FrameKind
  sequence: number
  payload: Buffer
  /** Offset of the first byte after it. */
  end: number
}

export type JournalHeader =
  { state: 'ok'; generation: number } | { state: 'damaged' } | { state: 'newer'; format: number }

export function encodeJournalHeader(generation: number): Buffer {
  const header = Buffer.alloc(JOURNAL_HEADER)
  FILE_MAGIC.copy(header, 0)
  header.writeUInt32LE(JOURNAL_FORMAT, 8)
  header.writeUInt32LE(generation, 12)
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60)
  return header
}

export function decodeJournalHeader(file: Buffer): JournalHeader {
  if (file.length < JOURNAL_HEADER || !file.subarray(0, 8).equals(FILE_MAGIC)) return { state: 'damaged' }
  if (crc32(file.subarray(0, 60)) !== file.readUInt32LE(60)) return { state: 'damaged' }
  const format = file.readUInt32LE(8)
  if (format > JOURNAL_FORMAT) return { state: 'newer', format }
  return { state: 'ok', generation: file.readUInt32LE(12) }
}

export function encodeFrame(kind: FrameKind, generation: number, sequence: number, payload: string): Buffer {
  const length = Buffer.byteLength(payload)
  const frame = Buffer.allocUnsafe(FRAME_HEADER + length)
  FRAME_MAGIC.copy(frame, 0)
  frame.writeUInt32LE(kind === 'batch' ? 1 : 2, 4)
  frame.writeUInt32LE(length, 8)
  frame.writeUInt32LE(generation, 12)
  frame.writeBigUInt64LE(BigInt(sequence), 16)
  frame.writeUInt32LE(0, 28)
  frame.write(payload, FRAME_HEADER)
  frame.writeUInt32LE(frameCrc(frame, 0, FRAME_HEADER + length), 24)
  return frame
}

function frameCrc(file: Buffer, start: number, end: number): number {
  return crc32(file.subarray(start + FRAME_HEADER, end), crc32(file.subarray(start, start + 24)))
}

/** The whole frame of that generation at `offset`, or undefined when there is none. */
export function decodeFrame(file: Buffer, offset: number, generation: number): Frame | undefined {
  const start = offset + FRAME_HEADER
  if (start > file.length || file.compare(FRAME_MAGIC, 0, 4, offset, offset + 4) !== 0) return undefined
  const kind = file.readUInt32LE(offset + 4)
  const end = start + file.readUInt32LE(offset + 8)
  if ((kind !== 1 && kind !== 2) || end > file.length) return undefined
  if (file.readUInt32LE(offset + 12) !== generation || file.readUInt32LE(offset + 28) !== 0) return undefined
  if (frameCrc(file, offset, end) !== file.readUInt32LE(offset + 24)) return undefined
  const sequence = Number(file.readBigUInt64LE(offset + 16))
  return { kind: kind === 1 ? 'batch' : 'seal', sequence, payload: file.subarray(start, end), end }
}

export interface JournalScan {
  frames: Frame[]
  sealed: boolean
  /** Offset of the first byte after the last good frame. */
  end: number
  /** A whole frame lies beyond a damaged place: what was between them had been acknowledged. */
  hole: boolean
}

/** Reads the frames up to the first place where there is none, and looks at all that follows it. */
export function scanJournal(file: Buffer, generation: number): JournalScan {
  const frames: Frame[] = []
  let end = JOURNAL_HEADER
  let sealed = false
  while (!sealed) {
    const frame = decodeFrame(file, end, generation)
    if (!frame || frame.sequence !== frames.length + 1) break
    frames.push(frame)
    end = frame.end
    sealed = frame.kind === 'seal'
  }
  return { frames, sealed, end, hole: hasFrameAfter(file, end, generation) }
}

export function isZero(bytes: Buffer): boolean {
  const zeros = Buffer.alloc(Math.min(bytes.length, 65536))
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length)
    if (part.compare(zeros, 0, part.length) !== 0) return false
  }
  return true
}

function hasFrameAfter(file: Buffer, end: number, generation: number): boolean {
  for (let at = file.indexOf(FRAME_MAGIC, end); at !== -1; at = file.indexOf(FRAME_MAGIC, at + 1)) {
    if (decodeFrame(file, at, generation)) return true
  }
  return false
}
