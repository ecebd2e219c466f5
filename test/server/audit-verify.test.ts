import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Seal } from '../../api/audit-export.ts'
import { EXPORT_FORMATS } from '../../api/audit.ts'
import { CSV_COLUMNS, csvRow, readCsvRow } from '../../server/domain/audit-csv.ts'
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

  test('says that a file is intact and whose key signed it, and demands a key when told to', async () => {
    const lines = await exportLines(ann, 'jsonl')
    const file = join(directory, 'whole.jsonl')
    await writeFile(file, lines.join(''))
    const { key } = sealIn('jsonl', lines)
    expect(await verify(file, '--data-dir', server.directory)).toEqual({
      code: 0,
      err: '',
      out: expect.stringMatching(
        new RegExp(`^Intact: \\d+ entries, 1 to \\d+\\.\nExported .* data directory: ${key}\\.`),
      ),
    })
    expect(await verify(file, '--key', key)).toMatchObject({ code: 0, out: expect.stringContaining('Compare it') })
    const demanded = await verify(file, '--key', 'f'.repeat(32), '--json')
    expect([demanded.code, JSON.parse(demanded.out)]).toMatchObject([
      1,
      { intact: false, foreign_key: true, faults: [] },
    ])
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
