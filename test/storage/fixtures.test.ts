import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { openStorage } from '../../server/storage/open.ts'
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
})
