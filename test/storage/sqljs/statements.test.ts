import { CompiledQuery, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { describe, expect, it } from 'vitest'
import { addItem, buildScratch, copyOf, createTables, itemNames, openScratch } from './scratch.ts'

const refused = expect.objectContaining({ code: 'STATEMENT_REFUSED' })

describe('statements that a replay could not repeat are refused', () => {
  it.each([
    'insert into items (value) values (random())',
    'insert into items (value) select hex(randomblob(8))',
    "insert into items (value) values (datetime('now'))",
    "update items set value = strftime('%s', 'now')",
    "with t as (select julianday('now') as j) insert into items (value) select j from t",
    'insert into items (value) values (CURRENT_TIMESTAMP)',
    'insert into items (value) values (last_insert_rowid())',
    'delete from items where id > changes()',
    "insert into items (name) values ('a') on conflict (name) do update set value = unixepoch()",
    'create table copy as select random() as r',
    'insert into stamped (id) values (1)',
    'insert into watched (id) values (1)',
  ])('%s', async (text) => {
    const { db, stats } = await openScratch(buildScratch())
    await createTables(db)
    await sql`create table stamped (id integer, at text default current_timestamp)`.execute(db)
    await sql`create table watched (id integer)`.execute(db)
    await sql`create trigger watch after insert on watched begin insert into items (value) values (random()); end`.execute(
      db,
    )
    const { commits } = stats()
    await expect(sql.raw(text).execute(db)).rejects.toThrow(refused)
    expect(stats().commits).toBe(commits)
  })

  it('but reads may use them', async () => {
    const { db } = await openScratch(buildScratch())
    await expect(sql`select random() as r, datetime('now') as d`.execute(db)).resolves.toMatchObject({
      rows: { length: 1 },
    })
  })
})

describe('statements that would go past the driver are refused', () => {
  it.each([
    'begin',
    'BEGIN IMMEDIATE',
    'commit',
    'rollback',
    'savepoint a',
    'vacuum',
    "attach 'x' as y",
    'pragma foreign_keys = off',
    '/* x */ pragma user_version = 3',
    'explain pragma foreign_keys = off',
    'create temp table t (x)',
    'insert or fail into items (id) values (1)',
    'insert into items (id) values (1); insert into items (id) values (2)',
    'select 1; delete from items',
  ])('%s', async (text) => {
    const { db } = await openScratch(buildScratch())
    await createTables(db)
    await expect(sql.raw(text).execute(db)).rejects.toThrow(refused)
    expect(await sql`pragma foreign_keys`.execute(db)).toMatchObject({ rows: [{ foreign_keys: 1 }] })
  })

  it('a trailing semicolon or comment is no second statement', async () => {
    const { db } = await openScratch(buildScratch())
    await expect(sql.raw('select 1 as one; -- that is all\n').execute(db)).resolves.toMatchObject({
      rows: [{ one: 1 }],
    })
  })

  it('read() runs no statement that writes', async () => {
    const { db, read } = await openScratch(buildScratch())
    await createTables(db)
    expect(() => read(CompiledQuery.raw("insert into items (name) values ('x') returning id"))).toThrow(refused)
    expect(await itemNames(db)).toEqual([])
  })
})

it.each([
  ['insert into items (id, name) values (1, 2), (1, 3)', 'SQLITE_CONSTRAINT_UNIQUE'],
  ['insert into strict_ones (n) values (null)', 'SQLITE_CONSTRAINT_NOTNULL'],
  ['insert into strict_ones (n) values (-1)', 'SQLITE_CONSTRAINT_CHECK'],
  ['insert into parts (id, item_id) values (1, 99)', 'SQLITE_CONSTRAINT_FOREIGNKEY'],
  ['selec', 'SQLITE_ERROR'],
  ['select * from nowhere', 'SQLITE_ERROR'],
])('a failing statement has a code: %s', async (text, code) => {
  const { db } = await openScratch(buildScratch())
  await createTables(db)
  await sql`create table strict_ones (n integer not null check (n > 0))`.execute(db)
  await expect(sql.raw(text).execute(db)).rejects.toMatchObject({ code })
})

it('a transaction that SQLite itself rolled back cannot be committed by mistake', async () => {
  const { db } = await openScratch(buildScratch())
  await createTables(db)
  const tx = await db.startTransaction().execute()
  await addItem(tx, 'a')
  await expect(sql`insert or rollback into items (name) values ('a')`.execute(tx)).rejects.toMatchObject({
    code: 'SQLITE_CONSTRAINT_UNIQUE',
  })
  await expect(addItem(tx, 'b')).rejects.toThrow('rolled back')
  await expect(tx.commit().execute()).rejects.toThrow('rolled back')
  await tx.rollback().execute()
  await addItem(db, 'c')
  expect(await itemNames(db)).toEqual(['c'])
})

it('insert, update, delete and returning answer as other SQLite drivers do', async () => {
  const { db } = await openScratch(buildScratch())
  await createTables(db)
  expect(
    await db
      .insertInto('items')
      .values([{ name: 'a' }, { name: 'b' }])
      .executeTakeFirst(),
  ).toMatchObject({ insertId: 2n, numInsertedOrUpdatedRows: 2n })
  expect(await db.insertInto('items').values({ name: 'c' }).returning(['id', 'name']).execute()).toEqual([
    { id: 3, name: 'c' },
  ])
  expect(await db.updateTable('items').set({ value: 5 }).where('id', '<', 3).executeTakeFirst()).toMatchObject({
    numUpdatedRows: 2n,
  })
  expect(await db.deleteFrom('items').where('id', '=', 9).executeTakeFirst()).toMatchObject({ numDeletedRows: 0n })
  const streamed: (string | null)[] = []
  for await (const row of db.selectFrom('items').select('name').stream(2)) streamed.push(row.name)
  expect(streamed).toEqual(['a', 'b', 'c'])
})

it('a failing migration leaves no half of itself, and a good one survives', async () => {
  const directory = buildScratch()
  const { db } = await openScratch(directory)
  const migrate = (second: () => Promise<void>) => {
    const migrations = {
      '1': { up: (tx: typeof db) => createTables(tx) },
      '2': { up: async (tx: typeof db) => (await sql`create table extra (x)`.execute(tx), second()) },
    }
    return new Migrator({ db, provider: { getMigrations: async () => migrations } }).migrateToLatest()
  }
  expect((await migrate(() => Promise.reject(new Error('no')))).error).toBeDefined()
  expect(await db.introspection.getTables()).toEqual([])
  expect((await migrate(async () => {})).error).toBeUndefined()
  const copy = await openScratch(copyOf(directory))
  expect((await copy.db.introspection.getTables()).map((table) => table.name)).toEqual(['extra', 'items', 'parts'])
})
