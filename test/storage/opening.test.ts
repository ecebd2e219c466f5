import { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openPostgres } from '../../server/storage/postgres.ts'
import type { Storage } from '../../server/storage/port.ts'
import { openEmbedded } from '../../server/storage/embedded.ts'
import type { Engine } from '../../server/storage/engine.ts'
import { createStorage } from '../../server/storage/storage.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase } from '../helpers/postgres.ts'
import { storeUser } from './builders.ts'

const log = () => {}

describe.each(['sqljs', 'postgres'] as const)('opening a database on %s', (name) => {
  let openEngine: () => Promise<Engine>
  let drop: () => Promise<void>
  beforeEach(async () => {
    if (name === 'sqljs') {
      const directory = await mkdtemp(join(tmpdir(), 'latchkey-opening-'))
      openEngine = () => openEmbedded({ directory, log })
      drop = () => rm(directory, { recursive: true, force: true })
    } else {
      const database = await createDatabase()
      openEngine = () => openPostgres(database.url, 4, log)
      drop = database.drop
    }
  })
  afterEach(() => drop())

  const open = async (): Promise<Storage> => createStorage(await openEngine())

  it('finds everything again after closing', async () => {
    const first = await open()
    const user_id = await storeUser(first, { username: 'still-here' })
    await first.close()
    const second = await open()
    expect(await second.users.findByName('still-here')).toMatchObject({ user_id })
    await second.close()
  })

  it('refuses a database that a newer program wrote, and leaves it as it is', async () => {
    await (await open()).close()
    const version = await writeVersion('999')
    await expect(open()).rejects.toMatchObject({ code: 'DATABASE_NEWER' })
    await writeVersion(version)
    const again = await open()
    await again.close()
  })

  /** Answers the one that was there. */
  async function writeVersion(value: string): Promise<string> {
    const engine = await openEngine()
    const db = new Kysely<Tables>({ dialect: engine.dialect })
    const before = await db.selectFrom('meta').select('value').where('name', '=', 'version').executeTakeFirstOrThrow()
    await db.updateTable('meta').set({ value }).where('name', '=', 'version').execute()
    await db.destroy()
    await engine.close()
    return before.value
  }
})

describe('opening PostgreSQL', () => {
  it('says plainly when it cannot be reached', async () => {
    await expect(openPostgres('postgres://127.0.0.1:1/none', 1, log)).rejects.toMatchObject({
      code: 'DATABASE_UNREACHABLE',
    })
  })

  it('lets several servers bring an empty database up to date at once', async () => {
    const database = await createDatabase()
    const storages = await Promise.all(
      Array.from({ length: 4 }, async () => createStorage(await openPostgres(database.url, 2, log))),
    )
    await Promise.all(storages.map((storage) => storeUser(storage)))
    expect((await storages[0]?.users.list({ sort: 'username', limit: 9 }))?.total).toBe(4)
    await Promise.all(storages.map((storage) => storage.close()))
    await database.drop()
  })
})
