import type { Parser, ParseResult } from 'papaparse'
import type { ImportRow } from '../api/user-imports.ts'
import { guessDelimiter } from './csv.ts'
import { type FileLine, type FileProblem, type Header, lineAfter, readHeader, readLine } from './user-file.ts'

export const LARGEST_FILE_MB = 100
/** Characters that are taken apart at once; between two such pieces the page can breathe. */
const PIECE = 256 * 1024

/** The file cannot be read any further, or not at all. */
export class UnreadableFile extends Error {
  readonly problem: FileProblem
  constructor(problem: FileProblem) {
    super(problem.kind)
    this.problem = problem
  }
}

/** Users as they stand in a file. */
export interface UserFile {
  name: string
  header: Header
  /** About how many lines there are. */
  lines: number
  /** Hands over the rows, piece by piece; ends early once `take` says no. */
  read(take: (piece: Piece) => Promise<boolean>): Promise<void>
}

export interface Piece {
  rows: ImportRow[]
  /** Lines with more cells than there are columns: something is wrong with them, so they are no rows. */
  damaged: number[]
}

export async function openUserFile(file: File): Promise<UserFile> {
  const text = await textOf(file)
  const delimiter = guessDelimiter(text)
  const header = await headerOf(text, delimiter)
  return {
    name: file.name,
    header: header.header,
    lines: text.split('\n').length,
    read: (take) =>
      eachPiece(text, delimiter, PIECE, (lines) => {
        const piece: Piece = { rows: [], damaged: [] }
        for (const line of lines) {
          if (line.line <= header.line) continue
          const row = readLine(header.header, line)
          if (row === 'cells') piece.damaged.push(line.line)
          else if (row !== 'blank') piece.rows.push(row)
        }
        return take(piece)
      }),
  }
}

async function textOf(file: File): Promise<string> {
  if (file.size > LARGEST_FILE_MB * 1024 * 1024) throw new UnreadableFile({ kind: 'large' })
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
    return text.replaceAll(/\r\n?/g, '\n')
  } catch {
    throw new UnreadableFile({ kind: 'encoding' })
  }
}

async function headerOf(text: string, delimiter: string): Promise<{ header: Header; line: number }> {
  let first: FileLine | undefined
  await eachPiece(text, delimiter, 16 * 1024, async (lines) => {
    first = lines.find(({ cells }) => cells.some((cell) => cell.trim() !== ''))
    return first === undefined
  })
  if (!first) throw new UnreadableFile({ kind: 'empty' })
  const header = readHeader(first.cells)
  if ('kind' in header) throw new UnreadableFile(header)
  return { header, line: first.line }
}

/** Takes the text apart into lines of cells, so many characters at once, each piece after the one before was taken. */
export async function eachPiece(
  text: string,
  delimiter: string,
  size: number,
  take: (lines: FileLine[]) => Promise<boolean>,
): Promise<void> {
  const { default: papa } = await import('papaparse')
  let next = 1
  await new Promise<void>((resolve, reject) => {
    papa.parse<string[]>(text, {
      delimiter,
      newline: '\n',
      chunkSize: size,
      complete: () => resolve(),
      chunk(results: ParseResult<string[]>, parser: Parser) {
        const lines = results.data.map((cells) => {
          const line = { line: next, cells }
          next = lineAfter(line)
          return line
        })
        const unclosed = results.errors.find(({ code }) => code === 'MissingQuotes')
        if (unclosed) {
          reject(new UnreadableFile({ kind: 'quotes', line: lines[unclosed.row ?? lines.length - 1]?.line ?? next }))
          return parser.abort()
        }
        parser.pause()
        take(lines).then(
          (goOn) => (goOn ? parser.resume() : parser.abort()),
          (error: unknown) => {
            reject(error)
            parser.abort()
          },
        )
      },
    })
  })
}
