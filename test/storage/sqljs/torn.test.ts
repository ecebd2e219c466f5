import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { JOURNAL_HEADER, scanJournal } from '../../../server/storage/sqljs/frame.ts'
import { openSqljs } from '../../../server/storage/sqljs/open.ts'
import { addItem, buildScratch, copyOf, createTables, fingerprint, itemNames, openScratch } from './scratch.ts'

const JOURNAL = '00000001.journal'
const corrupt = expect.objectContaining({ code: 'DATABASE_CORRUPT' })

/** A directory with six frames: two tables and four items; and where each frame starts and ends. */
async function buildJournal() {
  const directory = buildScratch()
  const { db, close } = await openScratch(directory)
  await createTables(db)
  for (const name of ['a', 'b', 'c', 'd']) await addItem(db, name)
  await close()
  const { frames, end } = scanJournal(readFileSync(join(directory, JOURNAL)), 1)
  // Of the preallocated megabyte a little is enough here.
  truncateSync(join(directory, JOURNAL), end + 500)
  const file = readFileSync(join(directory, JOURNAL))
  expect(frames).toHaveLength(6)
  return { directory, file, end, starts: [JOURNAL_HEADER, ...frames.map((frame) => frame.end)] }
}

function cutFrames(starts: readonly number[], at: number): number {
  return starts.findLastIndex((start) => start <= at)
}

it.each(['cut', 'zeros'])(
  'a journal torn at any byte of the last three frames keeps exactly the whole ones (%s)',
  { timeout: 60_000 },
  async (kind) => {
    const { directory, file, end, starts } = await buildJournal()
    const copy = copyOf(directory)
    for (let at = starts[3] ?? 0; at < end; at++) {
      const torn = Buffer.from(file)
      if (kind === 'zeros') torn.fill(0, at)
      writeFileSync(join(copy, JOURNAL), kind === 'cut' ? torn.subarray(0, at) : torn)
      const events: string[] = []
      const database = await openSqljs({ directory: copy, log: (event) => events.push(event) })
      const rows = database.read({ sql: 'select name from items order by id', parameters: [] } as never)
      expect(rows).toHaveLength(cutFrames(starts, at) - 2)
      // Zeros at the end of a frame may be what it ended with; a clean cut between frames is no torn tail.
      if (!starts.includes(at)) expect(events, `at ${at}`).toEqual(['torn-tail'])
      await database.close()
    }
  },
)

it('after a torn tail was cut, writing goes on, and the junk never comes back', async () => {
  const { directory, starts } = await buildJournal()
  truncateSync(join(directory, JOURNAL), (starts[6] ?? 0) - 3)
  const first = await openScratch(directory)
  expect(first.events).toEqual(['torn-tail'])
  await addItem(first.db, 'x')
  await first.close()
  const second = await openScratch(directory)
  expect(await itemNames(second.db)).toEqual(['a', 'b', 'c', 'x'])
  expect(second.events).toEqual([])
})

it(
  'a byte changed in the last frame loses that frame only; anywhere before it, opening is refused and nothing is touched',
  { timeout: 60_000 },
  async () => {
    const { directory, file, end, starts } = await buildJournal()
    const copy = copyOf(directory)
    const lastStart = starts[5] ?? 0
    for (let at = 0; at < end; at++) {
      const bent = Buffer.from(file)
      bent[at] = (bent[at] ?? 0) ^ 0x41
      writeFileSync(join(copy, JOURNAL), bent)
      if (at < lastStart) {
        const before = fingerprint(copy)
        await expect(openSqljs({ directory: copy }), `byte ${at}`).rejects.toThrow(corrupt)
        expect(fingerprint(copy)).toEqual(before)
      } else {
        const { db, close } = await openScratch(copy)
        expect(await itemNames(db), `byte ${at}`).toEqual(['a', 'b', 'c'])
        await close()
      }
    }
  },
)

it('a zeroed stretch before a whole frame is refused: a lost sector is not the end of the journal', async () => {
  const { directory, file, starts } = await buildJournal()
  const bent = Buffer.from(file)
  bent.fill(0, starts[3], starts[4])
  writeFileSync(join(directory, JOURNAL), bent)
  const before = fingerprint(directory)
  await expect(openSqljs({ directory })).rejects.toThrow(/00000001\.journal cannot be used.*damaged at byte/)
  expect(fingerprint(directory)).toEqual(before)
})

it('a missing journal is refused when a snapshot or an older journal says that it existed', async () => {
  const { directory } = await buildJournal()
  const { checkpoint, db, close } = await openScratch(directory)
  await checkpoint()
  await addItem(db, 'e')
  await close()
  const withoutLast = copyOf(directory)
  rmSync(join(withoutLast, '00000002.journal'))
  await expect(openSqljs({ directory: withoutLast })).rejects.toThrow(corrupt)
  rmSync(join(withoutLast, '00000002.snapshot'))
  await expect(openSqljs({ directory: withoutLast })).rejects.toThrow(/00000002\.journal .*missing/)
})
