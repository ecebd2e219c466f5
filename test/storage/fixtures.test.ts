import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import { openStorage } from '../../server/storage/open.ts'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { NOW } from './builders.ts'

const fixtures = join(import.meta.dirname, 'fixtures')

describe.each(readdirSync(fixtures))('the database that %s left behind', (release) => {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-fixture-'))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('opens with everything in it', async () => {
    cpSync(join(fixtures, release), directory, { recursive: true })
    const storage = await openStorage({ directory, log: () => {} })
    expect(await storage.users.isSetUp()).toBe(true)
    const bob = await storage.users.findByName('bob')
    expect(bob).toMatchObject({
      email: 'bob@example.org',
      permissions: ['USER_CONFIG'],
      manager_id: 1,
      totp_confirmed_at: NOW,
    })
    expect((await storage.sessions.findBySecret('secret-of-bob'))?.user.username).toBe('bob')
    expect(await storage.recoveryCodes.count(bob?.user_id ?? 0)).toBe(1)
    expect(await storage.limits.blockedUntil('account:bob', NOW)).toBe(Infinity)
    expect(await storage.settings.all()).toEqual({ min_password_length: 12 })
    await storage.close()
  })

  it('takes passwords for proven that somebody signed in with, but no temporary ones', async () => {
    cpSync(join(fixtures, release), directory, { recursive: true })
    const database = await openSqljs({ directory })
    const db = new Kysely<Tables>({ dialect: database.dialect })
    await db.updateTable('users').set({ superuser: 1, last_sign_in_at: NOW }).execute()
    await db.updateTable('users').set({ require_password_change: 1 }).where('username', '=', 'bob').execute()
    await db.destroy()
    await database.close()
    const storage = await openStorage({ directory, log: () => {} })
    expect(await storage.users.waysIn(NOW, 20)).toMatchObject([
      { username: 'ann', ways: ['password'] },
      { username: 'bob', ways: [] },
    ])
    await storage.close()
  })
})
