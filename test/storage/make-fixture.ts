/**
 * Makes the database that a release leaves behind: `node test/storage/make-fixture.ts DIRECTORY`. Run it once for each
 * release, with that release's program, and keep the directory as `fixtures/<version>`; `fixtures.test.ts` opens it.
 */
import { readFile, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { Kysely } from 'kysely'
import { openSqljs } from '../../server/storage/sqljs/open.ts'
import type { Tables } from '../../server/storage/tables.ts'
import { openStorage } from '../../server/storage/open.ts'
import { buildSession, buildUser, NOW, storeLoginToken, storeUser } from './builders.ts'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('Name a directory that does not exist yet.')

const storage = await openStorage({ directory, log: () => {} })
await storage.users.createFirst(buildUser({ username: 'ann', superuser: true, password_hash: '$argon2id$kept' }))
const bob = await storeUser(storage, {
  username: 'bob',
  email: 'bob@example.org',
  permissions: ['USER_CONFIG'],
  manager_id: 1,
})
await storage.sessions.create(buildSession(bob, { session_id: 'session-of-bob', secret_hash: 'secret-of-bob' }))
await storage.users.beginTotp(bob, 'sealed')
await storage.users.confirmTotp(bob, ['recovery-code'], 7, NOW)
await storeLoginToken(storage, bob, { user_id: 1 })
await storage.limits.fail('account:bob', { failures: 1, window: Infinity, block: Infinity }, NOW)
await storage.close()

// Half of it in a snapshot, half in the journal behind it: both formats are kept.
const database = await openSqljs({ directory })
await database.checkpoint()
const db = new Kysely<Tables>({ dialect: database.dialect })
await db.insertInto('settings').values({ name: 'min_password_length', value: '12' }).execute()
const { generation } = database.stats()
await database.close()

// The journal's preallocated zeros say nothing; without them the fixture stays small.
const journal = join(directory, `${String(generation).padStart(8, '0')}.journal`)
const bytes = await readFile(journal)
await truncate(journal, bytes.findLastIndex((byte) => byte !== 0) + 1)
