import { describe, expect, test } from 'vitest'
import { IMPORT_FIELDS, IMPORT_MAX_CELL, IMPORT_MAX_PART_ROWS } from '../../api/user-imports.ts'
import { csvLine, guardCell, guessDelimiter, unguardCell } from '../../renderer/csv.ts'
import { eachPiece, openUserFile, UnreadableFile } from '../../renderer/read-user-file.ts'
import { FILE_COLUMNS, type FileLine, LONGEST_CELL, PART_ROWS, readHeader, readLine } from '../../renderer/user-file.ts'

describe('cells', () => {
  test.each(['=1+1', '+49', '-bob', '@SUM(A1)', '\tx', '\rx', "'=already", "''-twice"])(
    'a spreadsheet does not run %j, and an import reads it as it was',
    (cell) => {
      expect(guardCell(cell)).toBe(`'${cell}`)
      expect(unguardCell(guardCell(cell))).toBe(cell)
    },
  )

  test.each(['ann', 'a=b', "'quoted", "O'Neill", '', '1+1'])('%j is left as it is', (cell) => {
    expect(guardCell(cell)).toBe(cell)
    expect(unguardCell(cell)).toBe(cell)
  })

  test('what would part cells or lines stands in quotes', () => {
    expect(csvLine(['plain', 'a,b', 'say "hi"', 'two\r\nlines', 'a;b', ' edge ', ''])).toBe(
      'plain,"a,b","say ""hi""","two\r\nlines","a;b"," edge ",\r\n',
    )
  })

  test.each([
    ['username,email\n', ','],
    ['\n\nusername;email;"display,name"\n', ';'],
    ['username\temail\n', '\t'],
    ['username\nann\n', ','],
  ])('the delimiter of %j is %j', (text, delimiter) => {
    expect(guessDelimiter(text)).toBe(delimiter)
  })
})

describe('columns', () => {
  test('fields and bounds are those of the interface', () => {
    expect(FILE_COLUMNS).toEqual(IMPORT_FIELDS)
    expect(LONGEST_CELL).toBe(IMPORT_MAX_CELL)
    expect(PART_ROWS).toBe(IMPORT_MAX_PART_ROWS)
  })

  test('are known in any case, others are named, those of our own export are not', () => {
    const header = readHeader([' UserName', 'E-Mail', 'Display Name', 'user_id', 'Phone', 'created_at', ''])
    expect(header).toMatchObject({ width: 7, ignored: ['E-Mail', 'Phone'] })
    expect('places' in header && [...header.places]).toEqual([
      ['username', 0],
      ['display_name', 2],
    ])
  })

  test.each(['password', 'Password', 'New Password', 'temporary-password', 'Passwort', 'пароль'])(
    'a column %s is refused',
    (column) => {
      expect(readHeader(['username', column])).toEqual({ kind: 'password', column })
    },
  )

  test('password_hash is none of them; no user name and a column twice are refused', () => {
    expect(readHeader(['username', 'password_hash'])).toMatchObject({ ignored: [] })
    expect(readHeader(['name', 'email'])).toEqual({ kind: 'username' })
    expect(readHeader(['username', 'email', 'Email'])).toEqual({ kind: 'repeated', column: 'email' })
  })

  test('a line becomes a row; too many cells are damage, trailing delimiters are not', () => {
    const header = readHeader(['username', 'email'])
    if ('kind' in header) throw new Error('refused')
    expect(readLine(header, { line: 7, cells: ["'-bob", 'b@example.org', ''] })).toEqual({
      line: 7,
      username: '-bob',
      email: 'b@example.org',
    })
    expect(readLine(header, { line: 8, cells: ['bob'] })).toEqual({ line: 8, username: 'bob', email: '' })
    expect(readLine(header, { line: 9, cells: ['bob', 'b@example.org', 'x'] })).toBe('cells')
    expect(readLine(header, { line: 10, cells: ['', ' '] })).toBe('blank')
    expect(readLine(header, { line: 11, cells: ['x'.repeat(600)] })).toMatchObject({ username: 'x'.repeat(512) })
  })
})

describe('files', () => {
  const file = (...parts: BlobPart[]) => new File(parts, 'users.csv')

  async function read(...parts: BlobPart[]) {
    const opened = await openUserFile(file(...parts))
    const rows: unknown[] = []
    const damaged: number[] = []
    await opened.read(async (piece) => {
      rows.push(...piece.rows)
      damaged.push(...piece.damaged)
      return true
    })
    return { rows, damaged, ignored: opened.header.ignored }
  }

  test('lines are counted as they stand in the file, with blank ones and cells of several lines', async () => {
    const text =
      '\uFEFF\r\nusername;display_name\r\nann;"Ann\r\nof two lines"\r\n\r\nbob;Bob;;\r\ncid;C;d;x\r\ndan;"D ""X"" D"'
    expect(await read(text)).toEqual({
      rows: [
        { line: 3, username: 'ann', display_name: 'Ann\nof two lines' },
        { line: 6, username: 'bob', display_name: 'Bob' },
        { line: 8, username: 'dan', display_name: 'D "X" D' },
      ],
      damaged: [7],
      ignored: [],
    })
  })

  test.each([
    [[''], { kind: 'empty' }],
    [['\n \n'], { kind: 'empty' }],
    [['name\nann\n'], { kind: 'username' }],
    [[new Uint8Array([0x75, 0xfc, 0x0a])], { kind: 'encoding' }],
    [['username\nann\n"bob\ncid\n'], { kind: 'quotes', line: 3 }],
  ])('%j cannot be taken: %j', async (parts, problem) => {
    const failure = await read(...parts).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(UnreadableFile)
    expect(failure).toMatchObject({ problem })
  })

  test('pieces of any size come to the same', async () => {
    const lines = Array.from(
      { length: 300 },
      (_, n) => `user${n},"${n} says ""hi"",\nand\n goes ü🔑",${'x'.repeat(n % 40)}`,
    )
    const text = `a,b,c\n${lines.join('\n')}\n`
    const collect = async (size: number) => {
      const all: FileLine[] = []
      await eachPiece(text, ',', size, async (piece) => {
        all.push(...piece)
        return true
      })
      return all.filter(({ cells }) => cells.join('') !== '')
    }
    const whole = await collect(10_000_000)
    expect(whole).toHaveLength(301)
    expect(whole.at(-1)).toMatchObject({ line: 2 + 299 * 3 })
    for (const size of [37, 256, 4096]) expect(await collect(size)).toEqual(whole)
  })

  test('reading ends when it is told to', async () => {
    let pieces = 0
    await eachPiece('a,b\n'.repeat(1000), ',', 100, async () => ++pieces < 3)
    expect(pieces).toBe(3)
  })
})
