import { CompiledQuery, sql } from 'kysely'
import { expect, it } from 'vitest'
import { addItem, buildScratch, copyOf, createTables, itemNames, openScratch } from './scratch.ts'

const countItems = CompiledQuery.raw('select count(*) as n from items')

it('an acknowledged commit is in a copy of the directory taken at once, without any close', async () => {
  const directory = buildScratch()
  const { db } = await openScratch(directory)
  await createTables(db)
  for (let round = 1; round <= 5; round++) {
    await addItem(db, `item ${round}`)
    const copy = await openScratch(copyOf(directory))
    expect(await itemNames(copy.db)).toHaveLength(round)
  }
})

it('a transaction is one journal entry, and a rolled back one leaves nothing', async () => {
  const directory = buildScratch()
  const { db, stats, version } = await openScratch(directory)
  await createTables(db)
  const before = { stats: stats(), version: version() }
  const failing = db.transaction().execute(async (tx) => {
    await addItem(tx, 'gone')
    throw new Error('changed my mind')
  })
  await expect(failing).rejects.toThrow('changed my mind')
  expect({ stats: stats(), version: version() }).toEqual(before)
  await db.transaction().execute(async (tx) => {
    await addItem(tx, 'a')
    await addItem(tx, 'b')
  })
  expect(stats().commits).toBe(before.stats.commits + 1)
  const copy = await openScratch(copyOf(directory))
  expect(await itemNames(copy.db)).toEqual(['a', 'b'])
})

it('a statement that failed inside a committed transaction is not replayed, and used-up ids stay the same', async () => {
  const directory = buildScratch()
  const { db } = await openScratch(directory)
  await createTables(db)
  await db.transaction().execute(async (tx) => {
    await addItem(tx, 'a')
    await expect(addItem(tx, 'a')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
    await tx.insertInto('items').orIgnore().values({ name: 'a' }).execute()
    await addItem(tx, 'b')
  })
  await db.insertInto('items').orIgnore().values({ name: 'b' }).execute()
  await addItem(db, 'c')
  const copy = await openScratch(copyOf(directory))
  expect(await copy.db.selectFrom('items').select(['id', 'name']).execute()).toEqual(
    await db.selectFrom('items').select(['id', 'name']).execute(),
  )
})

it('a commit refused by a deferred foreign key is rolled back and leaves nothing', async () => {
  const directory = buildScratch()
  const { db, stats } = await openScratch(directory)
  await createTables(db)
  const { commits } = stats()
  const failing = db.transaction().execute((tx) => tx.insertInto('parts').values({ id: 1, item_id: 99 }).execute())
  await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
  expect(stats().commits).toBe(commits)
  await addItem(db, 'still working')
  expect(await db.selectFrom('parts').selectAll().execute()).toEqual([])
})

it('a rolled back savepoint takes back its statements only, also after a restart', async () => {
  const directory = buildScratch()
  const { db, read } = await openScratch(directory)
  await createTables(db)
  const tx = await db.startTransaction().execute()
  await addItem(tx, 'a')
  const outer = await tx.savepoint('one').execute()
  await addItem(outer, 'b')
  const inner = await outer.savepoint('two').execute()
  await addItem(inner, 'c')
  expect(read(countItems)).toEqual([{ n: 0 }])
  await inner.rollbackToSavepoint('two').execute()
  await addItem(inner, 'd')
  await inner.releaseSavepoint('two').execute()
  await tx.commit().execute()
  expect(await itemNames(db)).toEqual(['a', 'b', 'd'])
  const copy = await openScratch(copyOf(directory))
  expect(await itemNames(copy.db)).toEqual(['a', 'b', 'd'])
})

it('a transaction is isolated: other callers wait, and read() sees committed data', async () => {
  const { db, read } = await openScratch(buildScratch())
  await createTables(db)
  await addItem(db, 'before')
  const tx = await db.startTransaction().execute()
  await addItem(tx, 'inside')
  await tx.schema.alterTable('items').addColumn('extra', 'text').execute()
  let others = 0
  const selecting = itemNames(db).finally(() => others++)
  const adding = addItem(db, 'outside').finally(() => others++)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(others).toBe(0)
  expect(read(countItems)).toEqual([{ n: 1 }])
  expect(Object.keys(read(CompiledQuery.raw('select * from items'))[0] ?? {})).toEqual(['id', 'name', 'value'])
  expect(await itemNames(tx)).toEqual(['before', 'inside'])
  await addItem(tx, 'inside too')
  await tx.commit().execute()
  expect(await selecting).toEqual(['before', 'inside', 'inside too'])
  await adding
  expect(read(countItems)).toEqual([{ n: 4 }])
  expect(await db.introspection.getTables()).toMatchObject([{ columns: { length: 4 } }, {}])
})

it('64 writers share syncs: at most one for five commits', async () => {
  const { db, stats } = await openScratch(buildScratch())
  await createTables(db)
  const before = stats()
  const writer = async (one: number): Promise<void> => {
    for (let round = 0; round < 20; round++) await addItem(db, `${one}/${round}`)
  }
  await Promise.all(Array.from({ length: 64 }, (_, one) => writer(one)))
  const after = stats()
  expect(after.commits - before.commits).toBe(1280)
  expect((after.flushes - before.flushes) / 1280).toBeLessThanOrEqual(0.2)
  expect(await itemNames(db)).toHaveLength(1280)
})

it('of simultaneous one-time consumptions exactly one wins', async () => {
  const { db } = await openScratch(buildScratch())
  await createTables(db)
  await addItem(db, 'token')
  const consume = () =>
    db
      .updateTable('items')
      .set({ value: 1 })
      .where('name', '=', 'token')
      .where('value', 'is', null)
      .executeTakeFirstOrThrow()
  const results = await Promise.all(Array.from({ length: 50 }, consume))
  expect(results.filter((result) => result.numUpdatedRows === 1n)).toHaveLength(1)
})

it('version() grows with every committed write, and with nothing else', async () => {
  const { db, version, stats } = await openScratch(buildScratch())
  await createTables(db)
  const start = { version: version(), commits: stats().commits }
  await itemNames(db)
  await db.updateTable('items').set({ value: 1 }).where('name', '=', 'nobody').execute()
  await db.deleteFrom('items').execute()
  expect({ version: version(), commits: stats().commits }).toEqual(start)
  await addItem(db, 'a')
  expect(version()).toBeGreaterThan(start.version)
})

it('a schema change rolled back is forgotten by prepared statements too', async () => {
  const { db } = await openScratch(buildScratch())
  await createTables(db)
  const all = sql`select * from items`.compile(db)
  const changing = db.transaction().execute(async (tx) => {
    await sql`alter table items add column extra text default 'x'`.execute(tx)
    await addItem(tx, 'a')
    expect((await tx.executeQuery(all)).rows).toEqual([{ id: 1, name: 'a', value: null, extra: 'x' }])
    throw new Error('no')
  })
  await expect(changing).rejects.toThrow('no')
  await addItem(db, 'b')
  expect((await db.executeQuery(all)).rows).toEqual([{ id: 1, name: 'b', value: null }])
})

it('refuses everything once closed, and close waits for the transaction under way', async () => {
  const directory = buildScratch()
  const { db, close, read } = await openScratch(directory)
  await createTables(db)
  const tx = await db.startTransaction().execute()
  await addItem(tx, 'a')
  const closing = close()
  const late = addItem(db, 'late')
  await tx.commit().execute()
  await closing
  await expect(late).rejects.toThrow('closed')
  expect(() => read(countItems)).toThrow('closed')
  const again = await openScratch(directory)
  expect(await itemNames(again.db)).toEqual(['a'])
})
