import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Seal } from '../../api/audit-export.ts'
import { EXPORT_FORMATS } from '../../api/audit.ts'
import { CSV_COLUMNS, csvRow, readCsvRow } from '../../server/domain/audit-csv.ts'
import { LONGEST_LINE } from '../../server/domain/audit-file.ts'
import { hashOf } from '../../server/domain/audit-hash.ts'
import { createAuditSeal } from '../../server/domain/audit-seal.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, buildVisitor, createUser, type Visitor } from '../helpers/visitor.ts'
import { buildEntry } from '../storage/audit-entries.ts'
import { exportLines, faultsIn, withField } from './audit-exports.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
const ANOTHER: Record<string, unknown> = {
  seq: 500,
  at: '2026-11-22T12:00:00.001Z',
  outcome: 'success',
  actor_id: 77,
  target_id: 77,
  detail: { reason: 'another' },
}

let server: TestServer
let ann: Visitor
let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-verify-'))
  server = await startTestServer()
  ann = await buildSuperuser(server)
  for (let index = 0; index < 20; index++) {
    const visitor = buildVisitor(server.url, {
      'User-Agent': index % 2 === 0 ? '=HYPERLINK("http://x","y")' : `-a,"b" ${index}`,
    })
    await visitor.client.auth.login({
      body: { username: index % 3 === 0 ? 'ann' : `nobody${index}`, password: 'wrong' },
    })
    server.clock.advance(400_000)
  }
  await createUser(ann, { username: 'bob' })
})
afterAll(async () => {
  await server.end()
  await rm(directory, { recursive: true, force: true })
})

const without = <T>(items: readonly T[], from: number, count = 1) => items.toSpliced(from, count)

describe.each(EXPORT_FORMATS)('an export as %s', (format) => {
  let lines: string[]
  beforeAll(async () => {
    lines = await exportLines(ann, format)
  })

  test('is intact as it comes, the filtered and the empty one too', async () => {
    expect(lines.length).toBeGreaterThan(24)
    expect(await faultsIn(directory, format, lines)).toEqual([])
    const filters: Record<string, string>[] = [
      { event: 'sign_in_refused' },
      { outcome: 'refused', user_id: '1' },
      { event: 'audit_trimmed' },
      { ip: '203.0.113.99' },
      { to: new Date(server.clock()).toISOString() },
    ]
    for (const filter of filters)
      expect(await faultsIn(directory, format, await exportLines(ann, format, filter)), JSON.stringify(filter)).toEqual(
        [],
      )
  })

  test.each(CSV_COLUMNS)('shows that %s of an entry was changed', async (column) => {
    const changed = withField(format, lines[11] ?? '', column, ANOTHER[column] ?? 'another')
    expect(changed).not.toBe(lines[11])
    expect(await faultsIn(directory, format, lines.with(11, changed))).toEqual([{ fault: 'changed', seq: 12 }])
  })

  test('shows that an entry was changed together with its hash', async () => {
    const text =
      format === 'jsonl'
        ? JSON.parse(lines[11] ?? '')
        : Object.fromEntries(
            (readCsvRow(lines[11]?.trimEnd() ?? '') ?? []).map((cell, index) => [CSV_COLUMNS[index], cell || null]),
          )
    const detail = typeof text.detail === 'string' ? text.detail : JSON.stringify(text.detail)
    const hash = hashOf({
      ...text,
      seq: 12,
      at: Date.parse(text.at),
      actor_id: null,
      target_id: text.target_id && Number(text.target_id),
      ip: '203.0.113.1',
      detail,
    })
    const changed = withField(format, withField(format, lines[11] ?? '', 'ip', '203.0.113.1'), 'hash', hash)
    expect(await faultsIn(directory, format, lines.with(11, changed))).toEqual([{ fault: 'changed', seq: 12 }])
  })

  test('shows what is missing, in the middle, at the beginning and at the end', async () => {
    expect(await faultsIn(directory, format, without(lines, 11))).toEqual([{ fault: 'missing', from: 12, to: 12 }])
    expect(await faultsIn(directory, format, without(lines, 11, 3))).toEqual([{ fault: 'missing', from: 12, to: 14 }])
    expect(await faultsIn(directory, format, without(lines, 0, 4))).toEqual([{ fault: 'missing', from: 1, to: 4 }])
    const last = lines.length - 1
    expect(await faultsIn(directory, format, without(lines, last - 2, 2))).toEqual([
      { fault: 'missing', from: last - 1, to: last },
    ])
  })

  test('shows that the end was cut off together with the seal, or within a line', async () => {
    expect(await faultsIn(directory, format, lines.slice(0, -1))).toEqual([{ fault: 'no_seal' }])
    expect(await faultsIn(directory, format, [])).toContainEqual({ fault: 'no_seal' })
    const half = [...lines.slice(0, 9), lines[9]?.slice(0, 40) ?? '']
    expect(await faultsIn(directory, format, half)).toEqual([
      { fault: 'unreadable', line: format === 'csv' ? 11 : 10 },
      { fault: 'no_seal' },
    ])
  })

  test('shows that an entry stands in the wrong place, moved forward or back', async () => {
    const moved = lines[5] ?? ''
    const back = without(lines, 5).toSpliced(14, 0, moved)
    expect(await faultsIn(directory, format, back)).toEqual([{ fault: 'misplaced', seq: 6 }])
    const forward = without(lines, 14).toSpliced(5, 0, lines[14] ?? '')
    expect(await faultsIn(directory, format, forward)).toEqual([{ fault: 'misplaced', seq: 15 }])
    const first = [...lines.slice(1, 4), lines[0] ?? '', ...lines.slice(4)]
    expect(await faultsIn(directory, format, first)).toEqual([{ fault: 'misplaced', seq: 1 }])
  })

  test('shows that an entry is there twice, next to itself or elsewhere', async () => {
    const twice = lines[5] ?? ''
    expect(await faultsIn(directory, format, lines.toSpliced(6, 0, twice))).toEqual([{ fault: 'doubled', seq: 6 }])
    expect(await faultsIn(directory, format, lines.toSpliced(14, 0, twice))).toEqual([{ fault: 'doubled', seq: 6 }])
  })

  test('shows what was changed, left out or put in where a filter chose the entries', async () => {
    const chosen = await exportLines(ann, format, { event: 'sign_in_refused' })
    expect(chosen).toHaveLength(21)
    expect(await faultsIn(directory, format, without(chosen, 5))).toEqual([
      { fault: 'entries_differ', sealed: 20, found: 19 },
    ])
    expect(await faultsIn(directory, format, chosen.with(5, chosen[4] ?? ''))).toEqual([{ fault: 'doubled', seq: 7 }])
    expect(await faultsIn(directory, format, chosen.with(5, lines[1] ?? ''))).toEqual([{ fault: 'misplaced', seq: 2 }])
    const alone = await exportLines(ann, format, { event: 'sign_in_refused', user_id: '1' })
    expect(await faultsIn(directory, format, alone.with(1, chosen[1] ?? ''))).toEqual([{ fault: 'content_differs' }])
  })

  test('shows that the seal was forged, moved from elsewhere or followed by something', async () => {
    const seal = sealIn(format, lines)
    const resealed = createAuditSeal(Buffer.alloc(32, 7)).seal(factsOf({ ...seal, entries: 3 }))
    const cases: [string, unknown][] = [
      ['another number', { ...seal, entries: 3 }],
      ['as if filtered', { ...seal, complete: false, filter: { ip: 'x' } }],
      ['another key named', { ...resealed, key: seal.key }],
      ['another key given', { ...seal, public_key: resealed.public_key, key: resealed.key }],
      ['no signature', { ...seal, signature: '' }],
    ]
    for (const [what, forged] of cases) {
      const faults = await faultsIn(directory, format, [...lines.slice(0, -1), sealLine(format, forged)])
      expect(faults, what).toEqual([{ fault: 'seal_forged' }])
    }
    const older = await exportLines(ann, format, { event: 'set_up' })
    expect(await faultsIn(directory, format, [...lines.slice(0, -1), older.at(-1) ?? ''])).not.toEqual([])
    expect(await faultsIn(directory, format, [...lines, lines[0] ?? ''])).toEqual([
      { fault: 'after_seal', line: lines.length + (format === 'csv' ? 2 : 1) },
    ])
  })

  test('shows whatever is not written letter for letter as an export writes it', async () => {
    const at = lines.findIndex((line) => line.includes('reason'))
    const line = lines[at] ?? ''
    const seal = lines.at(-1) ?? ''
    const number = (place: number) => place + (format === 'csv' ? 2 : 1)
    for (const [what, place, edited] of editsOf(format, line, seal, at, lines.length - 1)) {
      expect(edited, what).not.toBe(lines[place])
      const faults = await faultsIn(directory, format, lines.with(place, edited))
      expect(faults, what).toContainEqual({ fault: 'unreadable', line: number(place) })
    }
    const unix = lines.map((text) => text.replace('\r\n', '\n'))
    expect(await faultsIn(directory, format, unix)).toEqual([])
    expect(await faultsIn(directory, format, [...unix.slice(0, -1), seal.trimEnd()])).toEqual([])
  })

  test('does not take the beginning of an overlong line for the line', async () => {
    const faults = await faultsIn(directory, format, [
      ...lines.slice(0, -1),
      `${lines.at(-1)?.trimEnd()}${' '.repeat(9e6)}`,
    ])
    expect(faults).toContainEqual({ fault: 'unreadable', line: lines.length + (format === 'csv' ? 1 : 0) })
    const row = (lines[0] ?? '').trimEnd()
    const padded = `${row}${' '.repeat(4_000_000 - row.length)}`
    expect(await faultsIn(directory, format, [`${padded}and more\n`, ...lines.slice(1)])).not.toEqual([])
    const open = `"${'\n'.repeat(200_000)}`
    expect(await faultsIn(directory, format, [...lines, open])).not.toEqual([])
  })

  test.each(['null', '7', '"text"', '[]', '{}', '{"through_seq":"4","through_hash":"x"}', 'no json'])(
    'a trim whose detail is %s is a fault, not a crash',
    async (detail) => {
      const { text, seq } = forgedTrim(format, lines, detail)
      const faults = await faultsIn(directory, format, [...lines.slice(0, -1), text])
      const isObject = detail.startsWith('{')
      if (format === 'csv' || isObject) expect(faults).toContainEqual({ fault: 'changed', seq })
      else expect(faults).toContainEqual({ fault: 'unreadable', line: lines.length })
    },
  )

  test('an entry invented behind a removed trim, or rubbish, is not believed', async () => {
    const trim = { through_seq: 4, through_hash: JSON.stringify(buildEntry()) }
    const invented = withField(format, lines[8] ?? '', 'detail', trim)
    const faults = await faultsIn(directory, format, lines.with(8, invented).slice(4))
    expect(faults).toContainEqual({ fault: 'changed', seq: 9 })
    expect(faults).toContainEqual({ fault: 'missing', from: 1, to: 4 })
    expect(await faultsIn(directory, format, lines.with(8, 'rubbish"\r\n'))).not.toEqual([])
    expect(await faultsIn(directory, format, lines.with(8, '\r\n'))).toContainEqual({
      fault: 'missing',
      from: 9,
      to: 9,
    })
  })
})

test('a cell that a spreadsheet would take for a formula begins with an apostrophe', async () => {
  const lines = await exportLines(ann, 'csv')
  const text = lines.join('')
  expect(text).toContain(`"'=HYPERLINK(""http://x"",""y"")"`)
  expect(text).toContain(`"'-a,""b"" 1"`)
  for (const line of lines)
    for (const cell of line.trimEnd().match(/(?<=^|,)("(?:[^"]|"")*"|[^,]*)/g) ?? [])
      expect(cell).not.toMatch(/^"?[=+\-@\t\r]/)
  expect(csvRow(["'quoted", '@at', '+1', 'plain', null, 7])).toBe("''quoted,'@at,'+1,plain,,7\r\n")
  expect(readCsvRow("''quoted,'@at,'+1,plain,,7")).toEqual(["'quoted", '@at', '+1', 'plain', '', '7'])
})

test('an overlong line is not cut to one that can be read', async () => {
  const lines = await exportLines(ann, 'jsonl')
  const { seal } = createAuditSeal(Buffer.alloc(32, 7))
  const sealed = (x: string) => sealLine('jsonl', seal({ ...factsOf(sealIn('jsonl', lines)), filter: { x } })).trimEnd()
  const longest = sealed('x'.repeat(LONGEST_LINE - sealed('').length))
  expect(longest).toHaveLength(LONGEST_LINE)
  expect(await faultsIn(directory, 'jsonl', [...lines.slice(0, -1), longest])).toEqual([])
  expect(await faultsIn(directory, 'jsonl', [...lines.slice(0, -1), `${longest}more`])).toEqual([
    { fault: 'unreadable', line: lines.length },
    { fault: 'no_seal' },
  ])
})

describe('latchkey audit verify', () => {
  const verify = async (...args: string[]) => {
    const child = spawn(process.execPath, [MAIN, 'audit', 'verify', ...args], {
      env: { PATH: process.env['PATH'] ?? '', HOME: directory },
    })
    const said = { out: '', err: '' }
    child.stdout.on('data', (part: Buffer) => (said.out += part.toString()))
    child.stderr.on('data', (part: Buffer) => (said.err += part.toString()))
    const [code] = await once(child, 'close')
    return { code: Number(code), ...said }
  }

  const told = async (...args: string[]) => {
    const { code, out } = await verify(...args, '--json')
    return { code, report: JSON.parse(out) }
  }

  test('says that a file is intact and whose key signed it, and demands a key when told to', async () => {
    const lines = await exportLines(ann, 'jsonl')
    const file = join(directory, 'whole.jsonl')
    await writeFile(file, lines.join(''))
    const { key } = sealIn('jsonl', lines)
    expect(await verify(file, '--data-dir', server.directory)).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(new RegExp(`^Intact: \\d+ entries, 1 to \\d+\\.\nExported .* key ${key}\\.`)),
    })
    expect(await verify(file, '--key', key)).toMatchObject({ code: 0, out: expect.stringMatching(/^Intact: /) })
    const demanded = await verify(file, '--key', 'f'.repeat(32), '--json')
    expect([demanded.code, JSON.parse(demanded.out)]).toMatchObject([
      1,
      { intact: false, foreign_key: true, faults: [] },
    ])
  })

  test('does not call intact what was chained and sealed anew with another key', async () => {
    const lines = await exportLines(ann, 'jsonl')
    const forged = createAuditSeal(Buffer.alloc(32, 7)).seal(factsOf(sealIn('jsonl', lines)))
    const file = join(directory, 'forged.jsonl')
    await writeFile(file, [...lines.slice(0, -1), sealLine('jsonl', forged)].join(''))
    const beside = await verify(file, '--data-dir', server.directory)
    expect(beside).toMatchObject({
      code: 1,
      out: expect.stringMatching(/^Signed with another key than this server's: \d+ entries/),
    })
    expect(await told(file, '--data-dir', server.directory)).toMatchObject({
      code: 1,
      report: { intact: false, consistent: true, foreign_key: false, signer: 'another' },
    })
    expect(await told(file, '--data-dir', server.directory, '--key', forged.key)).toMatchObject({
      code: 0,
      report: { intact: true, signer: 'another' },
    })
    expect(await verify(file)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Consistent, but it is not proved whose: \d+ entries, .*, compare the key/),
    })
    expect(await told(file)).toMatchObject({
      code: 0,
      report: { intact: false, consistent: true, signer: 'unknown' },
    })
  })

  test('lets no file steer the terminal', async () => {
    const lines = await exportLines(ann, 'jsonl')
    const file = join(directory, 'escape.jsonl')
    const forged = { ...sealIn('jsonl', lines), key: '\u001b[2JIntact', complete: false, filter: { x: '\u009b2J' } }
    await writeFile(file, [...lines.slice(0, -1), sealLine('jsonl', forged)].join(''))
    const { code, out, err } = await verify(file)
    expect([code, err]).toEqual([1, 'The seal was forged: it was not signed with the key that it names.\n'])
    expect(out).not.toMatch(/[^\x20-\x7e\n]/)
  })

  test('names each fault, and ends with 1', async () => {
    const lines = await exportLines(ann, 'csv')
    const file = join(directory, 'spoilt.csv')
    await writeFile(
      file,
      `${CSV_COLUMNS.join(',')}\r\n${without(lines.with(4, withField('csv', lines[4] ?? '', 'ip', 'x')), 8, 3).join('')}`,
    )
    const { code, out, err } = await verify(file)
    expect([code, err]).toEqual([1, 'Entry 5 was changed.\nEntries 9 to 11 are missing.\n'])
    expect(out).toMatch(/^NOT INTACT: /)
  })

  test('ends with 2 for a file that is not there, two files, and a key that is none', async () => {
    expect(await verify(join(directory, 'nowhere'))).toMatchObject({
      code: 2,
      err: expect.stringContaining('cannot be read'),
    })
    expect(await verify()).toMatchObject({ code: 2 })
    expect(await verify('a', 'b')).toMatchObject({ code: 2 })
    expect(await verify('a', '--key', 'short')).toMatchObject({ code: 2 })
  })
})

function sealIn(format: string, lines: readonly string[]): Seal {
  const line = lines.at(-1) ?? ''
  return format === 'jsonl' ? JSON.parse(line).seal : JSON.parse(readCsvRow(line.trimEnd())?.[1] ?? '')
}

function sealLine(format: string, seal: unknown): string {
  return format === 'jsonl' ? `${JSON.stringify({ seal })}\n` : csvRow(['#seal', JSON.stringify(seal)])
}

function factsOf({ key: _key, public_key: _public, signature: _signature, ...facts }: Seal) {
  return facts
}

/** What was done, the place of the line, the line after that. */
function editsOf(format: string, line: string, seal: string, at: number, last: number): [string, number, string][] {
  if (format === 'csv') {
    return [
      ['a cell after the seal', last, seal.replace('\r\n', ',more\r\n')],
      ['an apostrophe', at, line.replace(',sign_in_refused,', ",'sign_in_refused,")],
      ['quotes', at, line.replace(',sign_in_refused,', ',"sign_in_refused",')],
      ['a key twice in the seal', last, seal.replace('""entries"":', '""entries"":1,""entries"":')],
      ['two returns', at, line.replace('\r\n', '\r\r\n')],
    ]
  }
  return [
    ['a key twice', at, line.replace('{"seq"', '{"seq":999,"seq"')],
    ['the event twice', at, line.replace('"event":', '"event":"sign_in","event":')],
    ['a key twice in the detail', at, line.replace('"reason":', '"reason":"another","reason":')],
    ['a prototype twice in the detail', at, line.replace('"detail":{', '"detail":{"__proto__":1,"__proto__":2,')],
    ['a prototype', at, line.replace('{"seq"', '{"__proto__":{},"seq"')],
    ['another order', at, line.replace(/^\{("seq":\d+),("at":"[^"]+")/, '{$2,$1')],
    ['white space', at, line.replace(':', ': ')],
    ['an escape', at, line.replace('sign_in', 'sign\\u005fin')],
    ['a key beside the seal', last, seal.replace('{"seal"', '{"note":"signed","seal"')],
    ['two seals', last, seal.replace('{"seal"', '{"seal":{"entries":1},"seal"')],
    ['a key twice in the filter', last, seal.replace('"filter":{}', '"filter":{},"filter":{}')],
    ['a prototype in the filter', last, seal.replace('"filter":{}', '"filter":{"__proto__":{"ip":"x"}}')],
    ['a key twice in the seal', last, seal.replace('"entries":', '"entries":1,"entries":')],
  ]
}

/** A trim that follows on the last of the lines, with a hash that is right. */
function forgedTrim(format: string, lines: readonly string[], detail: string) {
  const line = lines.at(-2)?.trimEnd() ?? ''
  const values = format === 'jsonl' ? Object.values(JSON.parse(line)) : (readCsvRow(line) ?? [])
  const seq = Number(values[0]) + 1
  const { at: time, ...entry } = {
    ...buildEntry({ event: 'audit_trimmed', detail }),
    seq,
    previous: String(values.at(-1)),
  }
  const hash = hashOf({ ...entry, at: time })
  const at = new Date(time).toISOString()
  const own: Record<string, unknown> = { ...entry, at, hash }
  const cells = CSV_COLUMNS.map((name) => own[name])
  const isJson = detail !== 'no json'
  const filed = Object.fromEntries(CSV_COLUMNS.map((name, index) => [name, cells[index]]))
  const text =
    format === 'csv'
      ? csvRow(cells.map((cell) => (typeof cell === 'number' || typeof cell === 'string' ? cell : null)))
      : `${JSON.stringify({ ...filed, detail: isJson ? JSON.parse(detail) : detail })}\n`
  return { text, seq }
}
