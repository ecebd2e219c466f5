import { CompiledQuery } from 'kysely'
import { expect, it } from 'vitest'
import type { Files } from '../../../server/storage/sqljs/files.ts'
import { nodeFiles } from '../../../server/storage/sqljs/files.ts'
import { openSqljs } from '../../../server/storage/sqljs/open.ts'
import { addItem, buildScratch, copyOf, createTables, itemNames, openScratch } from './scratch.ts'
import type { Opened } from './scratch.ts'

const OPERATIONS = ['write', 'writeSync', 'sync', 'syncSync', 'rename', 'syncDirectory', 'open', 'read'] as const
type Operation = (typeof OPERATIONS)[number]

interface FaultyFiles extends Files {
  /** Asked before each operation; what it answers is thrown. */
  fault: (operation: Operation) => string | undefined
  /** Writes take at most this many bytes. */
  most: number
}

function createFaultyFiles(): FaultyFiles {
  const check = (operation: Operation): void => {
    const code = faulty.fault(operation)
    if (code) throw Object.assign(new Error(`${code}: injected in ${operation}`), { code })
  }
  const short = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, faulty.most)
  const faulty: FaultyFiles = {
    ...nodeFiles,
    fault: () => undefined,
    most: Infinity,
    read: (path) => (check('read'), nodeFiles.read(path)),
    open: (path, flags) => (check('open'), nodeFiles.open(path, flags)),
    writeSync: (fd, bytes, at) => (check('writeSync'), nodeFiles.writeSync(fd, short(bytes), at)),
    write: async (fd, bytes, at) => (check('write'), nodeFiles.write(fd, short(bytes), at)),
    syncSync: (fd) => (check('syncSync'), nodeFiles.syncSync(fd)),
    sync: async (fd) => (check('sync'), nodeFiles.sync(fd)),
    rename: async (from, to) => (check('rename'), nodeFiles.rename(from, to)),
    syncDirectory: async (path) => (check('syncDirectory'), nodeFiles.syncDirectory(path)),
  }
  return faulty
}

/** Adds items until one is acknowledged; answers its name. */
async function addUntilServed(opened: Opened, prefix: string): Promise<string> {
  for (let attempt = 0; ; attempt++) {
    const name = `${prefix} ${attempt}`
    const served = await addItem(opened.db, name).then(
      () => true,
      () => false,
    )
    if (served) return name
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const count = CompiledQuery.raw('select count(*) as n from items')

it.each([
  ['ENOSPC', 'DISK_FULL'],
  ['EIO', 'WRITE_FAILED'],
])('a failed write (%s) is told to its callers, undone in memory, and serving goes on', async (cause, code) => {
  const directory = buildScratch()
  const files = createFaultyFiles()
  const opened = await openScratch(directory, {}, { files })
  const { db, read, version } = opened
  await createTables(db)
  await addItem(db, 'kept')
  const before = version()
  let left = 1
  files.fault = (operation) => (operation.startsWith('sync') && left-- > 0 ? cause : undefined)
  const waiting = ['x', 'y', 'z'].map((name) => addItem(db, name))
  for (const result of await Promise.allSettled(waiting))
    expect(result).toMatchObject({ status: 'rejected', reason: { name: 'StorageWriteError', code } })
  expect(() => read(count)).toThrow(expect.objectContaining({ code }))
  const after = await addUntilServed(opened, 'after')
  expect(await itemNames(db)).toEqual(['kept', after])
  expect(version()).toBeGreaterThan(before)
  expect(opened.events).toEqual(['write-failed', 'reloaded'])
  const copy = await openScratch(copyOf(directory))
  expect(await itemNames(copy.db)).toEqual(['kept', after])
})

it('an open transaction is undone by the failure of somebody else’s commit, and says so', async () => {
  const files = createFaultyFiles()
  const opened = await openScratch(buildScratch(), {}, { files })
  const { db } = opened
  await createTables(db)
  let left = 1
  files.fault = (operation) => (operation.startsWith('sync') && left-- > 0 ? 'EIO' : undefined)
  const failing = addItem(db, 'x')
  const tx = await db.startTransaction().execute()
  await addItem(tx, 'inside')
  await expect(failing).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  await expect(addItem(tx, 'inside too')).rejects.toThrow()
  await expect.poll(() => opened.events).toContain('reloaded')
  await expect(tx.commit().execute()).rejects.toThrow('rolled back')
  await tx.rollback().execute()
  await addItem(db, 'after')
  expect(await itemNames(db)).toEqual(['after'])
})

it('while the disk stays broken every call is refused, and serving goes on when it is back', async () => {
  const directory = buildScratch()
  const files = createFaultyFiles()
  const opened = await openScratch(directory, {}, { files })
  await createTables(opened.db)
  await addItem(opened.db, 'kept')
  files.fault = () => 'EIO'
  await expect(addItem(opened.db, 'x')).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  await expect.poll(() => opened.events).toContain('reload-failed')
  await expect(addItem(opened.db, 'y')).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  await expect(itemNames(opened.db)).rejects.toMatchObject({ code: 'WRITE_FAILED' })
  files.fault = () => undefined
  const after = await addUntilServed(opened, 'after')
  expect(await itemNames(opened.db)).toEqual(['kept', after])
})

it('a disk that takes 7 bytes at a time loses nothing', async () => {
  const directory = buildScratch()
  const files = createFaultyFiles()
  const opened = await openScratch(directory, {}, { files })
  files.most = 7
  await createTables(opened.db)
  for (const name of ['a', 'b', 'c']) await addItem(opened.db, name)
  const copy = await openScratch(copyOf(directory))
  expect(await itemNames(copy.db)).toEqual(['a', 'b', 'c'])
})

it(
  'whichever operation fails, and whenever, nothing acknowledged is lost and nothing refused is kept',
  { timeout: 60_000 },
  async () => {
    for (const operation of OPERATIONS) {
      for (let nth = 0; nth < 8; nth++) {
        const directory = buildScratch()
        const files = createFaultyFiles()
        const opened = await openScratch(directory, { checkpointBytes: 1_000 }, { files })
        await createTables(opened.db)
        let seen = 0
        files.fault = (asked) => (asked === operation && seen++ === nth ? 'EIO' : undefined)
        const acknowledged: string[] = []
        for (let round = 0; round < 20; round++) {
          await addItem(opened.db, `item ${round}`).then(
            () => acknowledged.push(`item ${round}`),
            () => new Promise((resolve) => setTimeout(resolve, 5)),
          )
        }
        acknowledged.push(await addUntilServed(opened, 'last'))
        expect(await itemNames(opened.db), `${operation} ${nth}`).toEqual(acknowledged)
        const copy = await openScratch(copyOf(directory))
        expect(await itemNames(copy.db), `${operation} ${nth}, reopened`).toEqual(acknowledged)
        await copy.close()
        await opened.close()
      }
    }
  },
)

it('a disk that is full when the journal has to grow refuses what does not fit, and takes it later', async () => {
  const files = createFaultyFiles()
  const opened = await openScratch(buildScratch(), {}, { files })
  await createTables(opened.db)
  files.fault = (operation) => (operation === 'write' ? 'ENOSPC' : undefined)
  const large = 'x'.repeat(2 * 1024 * 1024)
  await expect(opened.db.insertInto('items').values({ name: 'large', value: large }).execute()).rejects.toMatchObject({
    code: 'DISK_FULL',
  })
  await addUntilServed(opened, 'small')
  files.fault = () => undefined
  await opened.db.insertInto('items').values({ name: 'large', value: large }).execute()
  expect(await itemNames(opened.db)).toHaveLength(2)
})

it('a directory that cannot be read is refused with a code', async () => {
  const directory = buildScratch()
  await (await openSqljs({ directory })).close()
  const files = createFaultyFiles()
  files.fault = (operation) => (operation === 'read' ? 'EIO' : undefined)
  await expect(openSqljs({ directory }, { files })).rejects.toMatchObject({ code: 'DATA_DIR_UNREADABLE' })
})
