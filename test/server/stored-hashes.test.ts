import { pbkdf2Sync, randomBytes, scryptSync } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hash as argon2 } from '@node-rs/argon2'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { verify } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, dataOf, viaProxy } from '../helpers/visitor.ts'
import { storeUser } from '../storage/builders.ts'

const PASSWORD = 'Ein alter Brief — 1974'
const OURS = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ config: { trustedProxies: ['127.0.0.1'] } })
  await buildSuperuser(server)
})
afterAll(() => server.end())

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '')
const salt = randomBytes(16)
const login = (username: string, password: string, headers = {}) =>
  buildVisitor(server.url, headers).client.auth.login({ body: { username, password } })
const storedOf = async (username: string) => (await server.storage.users.findByName(username))?.password_hash ?? ''

const FOREIGN: [string, () => Promise<string> | string][] = [
  ['bcrypt', () => bcrypt(PASSWORD, 6)],
  ['bcrypt of PHP', async () => (await bcrypt(PASSWORD, 6)).replace('$2b$', '$2y$')],
  [
    'scrypt',
    () => `$scrypt$ln=10,r=8,p=1$${base64(salt)}$${base64(scryptSync(PASSWORD, salt, 32, { N: 1024, r: 8, p: 1 }))}`,
  ],
  [
    'PBKDF2 of passlib',
    () =>
      `$pbkdf2-sha256$1000$${base64(salt).replaceAll('+', '.')}$${base64(pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256')).replaceAll('+', '.')}`,
  ],
  [
    'PBKDF2 as PHC',
    () => `$pbkdf2-sha512$i=1000$${base64(salt)}$${base64(pbkdf2Sync(PASSWORD, salt, 1000, 64, 'sha512'))}`,
  ],
  [
    'PBKDF2 of Django',
    () => `pbkdf2_sha256$1000$pepper$${pbkdf2Sync(PASSWORD, 'pepper', 1000, 32, 'sha256').toString('base64')}`,
  ],
  ['argon2id of elsewhere', async () => `imported:${await argon2(PASSWORD)}`],
]

describe('an imported hash', () => {
  test.each(FOREIGN)('of %s lets its owner in, nobody else, and becomes one of ours', async (what, make) => {
    const username = what.toLowerCase().replace(/[^a-z0-9]/g, '')
    await storeUser(server.storage, { username, password_hash: await make() })
    expect(codeOf(await login(username, `${PASSWORD}.`))).toBe('INCORRECT_CREDENTIALS')
    expect(await storedOf(username)).not.toMatch(OURS)
    expect(codeOf(await login(username, PASSWORD))).toBe('ok')
    const stored = await storedOf(username)
    expect(stored).toMatch(OURS)
    expect(codeOf(await login(username, PASSWORD))).toBe('ok')
    expect(await storedOf(username)).toBe(stored)
  })

  test('lets its owner in from two places at once', async () => {
    await storeUser(server.storage, { username: 'twoplaces', password_hash: await bcrypt(PASSWORD, 6) })
    const tries = Array.from({ length: 8 }, (_, at) =>
      login('twoplaces', PASSWORD, viaProxy(server.url, `10.1.1.${at + 1}`)),
    )
    expect((await Promise.all(tries)).map(codeOf)).toEqual(Array(8).fill('ok'))
  })

  test('of the first superuser is shown as one to renew, until he signs in', async () => {
    const { client } = buildVisitor(server.url)
    await server.storage.users.upgradeHash(1, await storedOf('ann'), await bcrypt(ADMIN.password, 6))
    expect(dataOf(await client.auth.setupStatus()).password_upgrade_required).toBe(true)
    dataOf(await login('ann', ADMIN.password))
    expect(dataOf(await client.auth.setupStatus()).password_upgrade_required).toBe(false)
  })

  test.each([
    '',
    '!',
    '*',
    PASSWORD,
    '$argon2id$v=19$m=4294967295,t=4294967295,p=1$c2FsdA$aGFzaA',
    '$argon2id$broken',
    '$scrypt$ln=62,r=8,p=1$c2FsdA$aGFzaA',
    '$scrypt$ln=10,r=8,p=1$c2FsdA$',
    '$pbkdf2-sha256$0$c2FsdA$aGFzaA',
    '$2b$99$broken',
    'imported:$argon2i$v=19$m=16,t=2,p=1$broken',
  ])('that is damaged or impossible matches nothing and brings nothing down: %j', async (password_hash) => {
    const username = `odd-${randomBytes(4).toString('hex')}`
    await storeUser(server.storage, { username, password_hash })
    expect(codeOf(await login(username, PASSWORD))).toBe('INCORRECT_CREDENTIALS')
    expect((await buildVisitor(server.url).http.get('/api/health')).status).toBe(200)
  })
})

describe('a hash of ours', () => {
  test('is argon2id with at least 19 MiB, two passes, 16 bytes of salt, another for each', async () => {
    const user_id = await storeUser(server.storage, {
      username: 'salted',
      password_hash: await bcrypt(ADMIN.password, 6),
    })
    await login('salted', ADMIN.password)
    const [, memory, passes, lanes, ownSalt = ''] = OURS.exec(await storedOf('salted')) ?? []
    expect([Number(memory), Number(passes), Number(lanes)]).toEqual([19_456, 2, 1])
    expect(Buffer.from(ownSalt, 'base64').length).toBeGreaterThanOrEqual(16)
    expect(await storedOf('ann')).not.toContain(ownSalt)
    expect(user_id).toBeGreaterThan(1)
  })

  test('weaker than today is made anew at the next sign-in', async () => {
    const pepper = Buffer.from(
      JSON.parse(await readFile(join(server.directory, 'keyring.json'), 'utf8')).pepper,
      'base64url',
    )
    const weak = await argon2(PASSWORD.normalize('NFC'), {
      memoryCost: 8192,
      timeCost: 1,
      parallelism: 1,
      secret: pepper,
    })
    await storeUser(server.storage, { username: 'weak', password_hash: weak })
    expect(codeOf(await login('weak', PASSWORD))).toBe('ok')
    expect(await storedOf('weak')).toContain('m=19456,t=2,p=1')
  })

  test('verifies nothing without the key beside the database: a copy of the database alone is worthless', async () => {
    const stored = await storedOf('ann')
    expect(await verify(stored, ADMIN.password)).toBe(false)
    const { pepper } = JSON.parse(await readFile(join(server.directory, 'keyring.json'), 'utf8'))
    expect(await verify(stored, ADMIN.password, { secret: Buffer.from(pepper, 'base64url') })).toBe(true)
  })
})
