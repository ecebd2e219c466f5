import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import type { NewSession } from '../../server/storage/port.ts'
import * as first from '../../server/storage/migrations/0001-first.ts'
import * as search from '../../server/storage/migrations/0002-search.ts'
import * as userImports from '../../server/storage/migrations/0003-user-imports.ts'
import * as audit from '../../server/storage/migrations/0004-audit.ts'
import * as access from '../../server/storage/migrations/0005-access.ts'
import * as atproto from '../../server/storage/migrations/0006-atproto.ts'
import { openStorage } from '../../server/storage/open.ts'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { buildSession, buildUser, HOUR, NOW } from './builders.ts'

const BEFORE_WAYS_IN = [first, search, userImports, audit, access, atproto]
const fixtures = join(import.meta.dirname, 'fixtures')

async function withTables(directory: string, work: (db: Kysely<Tables>) => Promise<void>): Promise<void> {
  const database = await openSqljs({ directory })
  const db = new Kysely<Tables>({ dialect: database.dialect })
  await work(db)
  await db.destroy()
  await database.close()
}

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

  it.each([0, 1])(
    'takes a password for proven by the session that it began, but no temporary one (%i)',
    async (temporary) => {
      cpSync(join(fixtures, release), directory, { recursive: true })
      await withTables(directory, async (db) => {
        await db.updateTable('users').set({ superuser: 1, last_sign_in_at: NOW }).execute()
        await db
          .updateTable('users')
          .set({ require_password_change: temporary })
          .where('username', '=', 'bob')
          .execute()
      })
      const storage = await openStorage({ directory, log: () => {} })
      // Ann has signed in too, but who can say whether nobody has reset her password since?
      expect(await storage.users.waysIn(NOW, 20)).toMatchObject([
        { username: 'ann', ways: [] },
        { username: 'bob', ways: temporary ? [] : ['password'] },
      ])
      await storage.close()
    },
  )
})

describe('a database of the version before proven ways in', () => {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-before-'))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('has passwords proven only where the last sign-in can have been by them', async () => {
    await withTables(directory, async (db) => {
      await db.schema
        .createTable('meta')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .addColumn('value', 'text')
        .execute()
      for (const { up } of BEFORE_WAYS_IN) await up(db, 'sqljs')
      await db
        .insertInto('meta')
        .values({ name: 'version', value: String(BEFORE_WAYS_IN.length) })
        .execute()
      /** Who came in just now by this; `set`: when his password was. */
      const add = async (
        username: string,
        came_by: NewSession['auth_source'] | null,
        set: number | null,
        revoked_at?: number,
      ) => {
        const { password_set_by: _by, ...user } = buildUser({ username })
        const { user_id } = await db
          .insertInto('users')
          .values({
            ...{ ...user, superuser: 1, enabled: 1, permissions: '[]', require_password_change: 0 },
            ...{ totp_last_step: 0, updated_at: NOW, search_text: '', password_set_at: set },
            last_sign_in_at: came_by && NOW,
          })
          .returning('user_id')
          .executeTakeFirstOrThrow()
        if (came_by === null) return user_id
        const session = { ...buildSession(user_id, { auth_source: came_by }), amr: '[]', last_seen_at: NOW }
        const unused = { login_token: null, scope: null, prefix: null, name: null }
        await db
          .insertInto('sessions')
          .values({ ...session, ...unused, revoked_at: revoked_at ?? null })
          .execute()
        return user_id
      }
      await add('by-password', 'password', NOW - HOUR)
      await add('by-password-chosen-there', 'password', NOW)
      await add('signed-out', 'password', NOW - HOUR, NOW)
      await add('by-atproto', 'atproto', NOW - HOUR)
      await add('by-token', 'login_token', NOW - HOUR)
      const swept = await add('by-token-long-ago', 'login_token', NOW - HOUR)
      await db.deleteFrom('sessions').where('user_id', '=', swept).execute()
      const token = {
        reason: null,
        redirect_to: null,
        created_at: NOW,
        expires_at: NOW,
        used_ip: null,
        deleted_at: null,
      }
      await db
        .insertInto('login_tokens')
        .values({ ...token, uuid: 'used', secret_hash: 'used', user_id: 1, login_user_id: swept, used_at: NOW })
        .execute()
      await add('reset-since', 'password', NOW + 1)
      await add('never-in', null, NOW - HOUR)
      // Set before anybody noted when, or imported.
      await add('old', 'password', null)
      await add('old-and-ended-by-a-reset', 'password', null, NOW)
      await add('imported-and-by-token', 'login_token', null)
    })

    const storage = await openStorage({ directory, log: () => {} })
    const ways = await storage.users.waysIn(NOW, 20)
    const proven = ways.filter((one) => one.ways.length > 0).map(({ username }) => username)
    expect(proven).toEqual(['by-password', 'by-password-chosen-there', 'signed-out', 'old'])
    await storage.close()
  })
})
