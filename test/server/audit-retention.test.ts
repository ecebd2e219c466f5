import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AuditEntry } from '../../api/audit.ts'
import { readSettings } from '../../api/settings.ts'
import { hashOf } from '../../server/domain/audit-hash.ts'
import { trimAudit } from '../../server/domain/audit-retention.ts'
import { createChanges } from '../../server/domain/changes.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { breaksOf, buildEntry, readAll } from '../storage/audit-entries.ts'
import { exportLines, faultsIn } from './audit-exports.ts'

const DAY = 86_400_000

describe('what the audit need not keep', () => {
  let server: TestServer
  let ann: Visitor
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'latchkey-trim-'))
    server = await startTestServer()
    ann = await buildSuperuser(server)
    dataOf(await ann.client.settings.change({ body: { audit_keep_days: 30 } }))
  })
  afterEach(async () => {
    await server.end()
    await rm(directory, { recursive: true, force: true })
  })

  async function live(days: number): Promise<void> {
    for (let day = 0; day < days; day++) {
      server.clock.advance(DAY)
      await server.storage.audit.append([buildEntry({ at: server.clock() })], hashOf)
    }
    ann = await buildSignedIn(server, ADMIN.username, ADMIN.password)
  }

  const trim = async (isStopping = () => false, audit_keep_days = 30) => {
    const settings = () => readSettings({ audit_keep_days })
    await trimAudit({ storage: server.storage, changes: createChanges(), clock: server.clock, settings }, isStopping)
  }
  const entriesIn = (lines: readonly string[]) => lines.slice(0, -1).map((line): AuditEntry => JSON.parse(line))

  test('goes, and what stays is provable: before, after, and after a second time', async () => {
    await live(20)
    await trim()
    expect((await readAll(server.storage))[0]?.seq).toBe(1)
    await live(20)
    const before = await exportLines(ann, 'jsonl')
    await trim()
    const after = await exportLines(ann, 'jsonl')
    for (const lines of [before, after]) expect(await faultsIn(directory, 'jsonl', lines)).toEqual([])
    const [first] = entriesIn(after)
    expect(first?.seq).toBeGreaterThan(8)
    const oldest = Math.floor(server.clock() / DAY) * DAY - 30 * DAY
    expect(entriesIn(after).every(({ at }) => Date.parse(at) >= oldest)).toBe(true)
    // What stayed is what it was.
    const kept = entriesIn(before).filter(({ seq }) => seq >= (first?.seq ?? 0))
    expect(entriesIn(after).slice(0, kept.length)).toEqual(kept)
    const through = kept[0]?.previous
    expect(entriesIn(after)).toContainEqual(
      expect.objectContaining({
        event: 'audit_trimmed',
        actor: null,
        detail: { through_seq: (first?.seq ?? 0) - 1, through_hash: through, count: (first?.seq ?? 0) - 1 },
      }),
    )

    await live(15)
    await trim()
    await trim()
    const again = await exportLines(ann, 'csv')
    expect(await faultsIn(directory, 'csv', again)).toEqual([])
    expect(Number(again[0]?.split(',')[0])).toBeGreaterThan((first?.seq ?? 0) + 10)
    expect(again.filter((line) => line.includes(',audit_trimmed,'))).toHaveLength(2)
  })

  test('goes even when all of it is old, and the trim itself in time', async () => {
    server.clock.advance(100 * DAY)
    await trim()
    server.clock.advance(100 * DAY)
    await trim()
    ann = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    const lines = await exportLines(ann, 'jsonl')
    expect(entriesIn(lines).map(({ event }) => event)).toEqual(['audit_trimmed', 'sign_in', 'audit_exported'])
    expect(await faultsIn(directory, 'jsonl', lines)).toEqual([])
  })

  test('cannot be used to hide more than was trimmed', async () => {
    await live(40)
    await trim()
    const lines = await exportLines(ann, 'jsonl')
    const first = entriesIn(lines)[0]?.seq ?? 0
    expect(await faultsIn(directory, 'jsonl', lines.slice(3))).toEqual([
      { fault: 'missing', from: first, to: first + 2 },
    ])
  })

  test('is hidden at once, and gone after a crash in the middle', async () => {
    await live(40)
    await trim(() => true)
    const shown = await readAll(server.storage)
    expect(await server.storage.audit.read({}, { after: 0, through: 10_000, limit: 10_000 })).toHaveLength(
      shown.length + (shown[0]?.seq ?? 0) - 1,
    )
    expect(dataOf(await ann.client.audit.list({ query: { limit: '200' } })).items).toHaveLength(shown.length)
    expect(await faultsIn(directory, 'jsonl', await exportLines(ann, 'jsonl'))).toEqual([])
    server = await server.restart()
    await trim()
    const [left] = await server.storage.audit.read({}, { after: 0, through: 10_000, limit: 1 })
    expect(left?.seq).toBe(shown[0]?.seq)
    expect(await breaksOf(server.storage)).toEqual([])
  })

  test('is nothing where the setting says: for ever', async () => {
    await live(40)
    await trim(() => false, 0)
    expect((await readAll(server.storage))[0]?.seq).toBe(1)
  })
})
