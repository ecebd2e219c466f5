import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CompiledQuery } from 'kysely'
import { expect, it } from 'vitest'
import { loadSqljs } from '../../../server/storage/sqljs/engine.ts'
import { nodeFiles } from '../../../server/storage/sqljs/files.ts'
import { openSqljs } from '../../../server/storage/sqljs/open.ts'
import { SNAPSHOT_HEADER, encodeSnapshotHeader } from '../../../server/storage/sqljs/snapshot.ts'
import { addItem, buildScratch, copyOf, createTables, fingerprint, itemNames, openScratch } from './scratch.ts'
import type { Opened } from './scratch.ts'

const corrupt = expect.objectContaining({ code: 'DATABASE_CORRUPT' })

async function buildGenerations(): Promise<{ directory: string; names: string[] }> {
  const directory = buildScratch()
  const { db, checkpoint, close } = await openScratch(directory)
  await createTables(db)
  await addItem(db, 'one')
  await checkpoint()
  await addItem(db, 'two')
  await checkpoint()
  await addItem(db, 'three')
  await close()
  return { directory, names: ['one', 'two', 'three'] }
}

async function namesIn(directory: string): Promise<{ names: (string | null)[]; opened: Opened }> {
  const opened = await openScratch(directory)
  return { names: await itemNames(opened.db), opened }
}

it('keeps the new snapshot and the one before, and nothing older', async () => {
  const { directory, names } = await buildGenerations()
  expect(
    readdirSync(directory)
      .filter((name) => name !== 'lock')
      .sort(),
  ).toEqual(['00000002.journal', '00000002.snapshot', '00000003.journal', '00000003.snapshot'])
  expect((await namesIn(directory)).names).toEqual(names)
})

it('a snapshot holds the plain bytes of an SQLite database file', async () => {
  const { directory } = await buildGenerations()
  const bytes = readFileSync(join(directory, '00000003.snapshot')).subarray(SNAPSHOT_HEADER)
  expect(bytes.subarray(0, 15).toString()).toBe('SQLite format 3')
  const database = new (await loadSqljs()).Database(bytes)
  expect(database.exec('select name from items')[0]?.values).toEqual([['one'], ['two']])
  database.close()
})

it('runs by itself under load, without losing or doubling a commit', async () => {
  const directory = buildScratch()
  const { db, stats } = await openScratch(directory, { checkpointBytes: 8_000 })
  await createTables(db)
  const writer = async (one: number): Promise<void> => {
    for (let round = 0; stats().checkpoints < 3; round++) await addItem(db, `${one}/${round}`)
  }
  await Promise.all(Array.from({ length: 8 }, (_, one) => writer(one)))
  const expected = await itemNames(db)
  expect((await namesIn(copyOf(directory))).names).toEqual(expected)
})

it(
  'at every step of a checkpoint, a crash leaves a directory that opens to the same state',
  { timeout: 60_000 },
  async () => {
    const directory = buildScratch()
    const copies: { step: string; copy: string }[] = []
    let watching = false
    const step = (name: string): void => {
      if (watching) copies.push({ step: name, copy: copyOf(directory) })
    }
    const files = {
      ...nodeFiles,
      open: (path: string, flags: 'r+' | 'wx' | 'w') => (step(`open ${path}`), nodeFiles.open(path, flags)),
      write: (fd: number, bytes: Uint8Array, at: number) => (
        at < 65536 && step(`write ${at}`),
        nodeFiles.write(fd, bytes, at)
      ),
      writeSync: (fd: number, bytes: Uint8Array, at: number) => (
        step(`writeSync ${at}`),
        nodeFiles.writeSync(fd, bytes, at)
      ),
      sync: (fd: number) => (step('sync'), nodeFiles.sync(fd)),
      rename: (from: string, to: string) => (step(`rename ${to}`), nodeFiles.rename(from, to)),
      remove: (path: string) => (step(`remove ${path}`), nodeFiles.remove(path)),
      syncDirectory: (path: string) => (step('syncDirectory'), nodeFiles.syncDirectory(path)),
    }
    const { db, checkpoint } = await openScratch(directory, {}, { files })
    await createTables(db)
    await addItem(db, 'one')
    await checkpoint()
    await addItem(db, 'two')
    await checkpoint()
    await addItem(db, 'three')
    watching = true
    await checkpoint()
    step('end')
    expect(copies.length).toBeGreaterThan(8)
    for (const [index, { step: name, copy }] of copies.entries()) {
      // The worker's own steps: a snapshot half written, whole but not renamed.
      writeFileSync(join(copy, '00000009.snapshot.new'), 'half a snapshot')
      const { names, opened } = await namesIn(copy)
      expect(names, name).toEqual(['one', 'two', 'three'])
      await addItem(opened.db, 'four')
      if (index % 4 === 0) await opened.checkpoint()
      await opened.close()
      expect((await namesIn(copy)).names, name).toEqual(['one', 'two', 'three', 'four'])
      expect(existsSync(join(copy, '00000009.snapshot.new'))).toBe(false)
    }
  },
)

it(
  'a damaged snapshot is set aside, and the one before with its journals gives the same state',
  { timeout: 60_000 },
  async () => {
    const { directory, names } = await buildGenerations()
    const snapshot = readFileSync(join(directory, '00000003.snapshot'))
    const places = [0, 9, 13, 17, 25, 40, 61, SNAPSHOT_HEADER + 1, SNAPSHOT_HEADER + 4097, snapshot.length - 1]
    for (const at of places) {
      const copy = copyOf(directory)
      const bent = Buffer.from(snapshot)
      bent[at] = (bent[at] ?? 0) ^ 1
      writeFileSync(join(copy, '00000003.snapshot'), bent)
      const { names: found, opened } = await namesIn(copy)
      expect(found, `byte ${at}`).toEqual(names)
      expect(opened.events).toContain('snapshot-damaged')
      expect(readFileSync(join(copy, '00000003.snapshot.damaged')).equals(bent)).toBe(true)
      await opened.close()
      expect((await namesIn(copy)).names).toEqual(names)
    }
  },
)

it('a damaged snapshot with a damaged fallback is refused, and nothing is touched', async () => {
  const { directory } = await buildGenerations()
  for (const name of ['00000003.snapshot', '00000002.journal']) {
    const file = readFileSync(join(directory, name))
    file[100] = (file[100] ?? 0) ^ 1
    writeFileSync(join(directory, name), file)
  }
  const before = fingerprint(directory)
  await expect(openSqljs({ directory })).rejects.toThrow(corrupt)
  expect(fingerprint(directory)).toEqual(before)
})

it.each(['snapshot', 'journal'])('a %s of a newer format is refused, and nothing is touched', async (kind) => {
  const { directory } = await buildGenerations()
  const path = join(directory, `00000003.${kind}`)
  const file = readFileSync(path)
  file.writeUInt32LE(99, 8)
  file.writeUInt32LE(crc32(file.subarray(0, 60)), 60)
  writeFileSync(path, file)
  const before = fingerprint(directory)
  await expect(openSqljs({ directory })).rejects.toThrow(expect.objectContaining({ code: 'DATABASE_NEWER' }))
  expect(fingerprint(directory)).toEqual(before)
})

it('a journal that does not fit its snapshot is refused', async () => {
  const { directory } = await buildGenerations()
  const empty = new (await loadSqljs()).Database().export()
  writeFileSync(join(directory, '00000003.snapshot'), Buffer.concat([encodeSnapshotHeader(3, empty), empty]))
  await expect(openSqljs({ directory })).rejects.toThrow(/00000003\.journal cannot be used: no such table: items/)
})

it('a worker that dies changes nothing: later checkpoints make up for it', async () => {
  const directory = buildScratch()
  const broken = new URL(`data:text/javascript,process.exit(7)`)
  const { db, checkpoint, events, close } = await openScratch(directory, {}, { workerUrl: broken })
  await createTables(db)
  for (const name of ['one', 'two']) {
    await addItem(db, name)
    await expect(checkpoint()).rejects.toThrow('checkpoint worker')
  }
  await addItem(db, 'three')
  expect(events).toEqual(['checkpoint-failed', 'checkpoint-failed'])
  await close()
  const { names, opened } = await namesIn(directory)
  expect(names).toEqual(['one', 'two', 'three'])
  await opened.checkpoint()
  await opened.close()
  expect((await namesIn(directory)).names).toEqual(names)
})

it('opening starts a checkpoint when the journals it found are long', async () => {
  const { directory, names } = await buildGenerations()
  const opened = await openScratch(directory, { checkpointBytes: 10 })
  await expect.poll(() => opened.stats().checkpoints, { timeout: 10_000 }).toBe(1)
  expect(opened.read(CompiledQuery.raw('select name from items'))).toHaveLength(names.length)
})

it('closing in the middle of a checkpoint breaks it off, and nothing is lost', async () => {
  const { directory, names } = await buildGenerations()
  const { checkpoint, close } = await openScratch(directory)
  const running = checkpoint().catch(() => 'broken off')
  await new Promise((resolve) => setTimeout(resolve, 30))
  await close()
  await running
  expect((await namesIn(directory)).names).toEqual(names)
})

it('a snapshot on a bad sector is set aside as a damaged one is', async () => {
  const { directory, names } = await buildGenerations()
  const read = (path: string): Buffer => {
    if (path.endsWith('3.snapshot')) throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
    return nodeFiles.read(path)
  }
  const opened = await openScratch(directory, {}, { files: { ...nodeFiles, read } })
  expect(await itemNames(opened.db)).toEqual(names)
  expect(opened.events).toContain('snapshot-damaged')
})
