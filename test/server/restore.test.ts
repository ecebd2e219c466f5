import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findLeftovers, restorePlaces } from '../../server/backup/places.ts'
import { lockDirectory } from '../../server/storage/sqljs/lock.ts'
import { reachServer } from '../../server/control/channel.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import {
  ADMIN,
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { backUp, besides, forge, openWithLibraries, restoreTo } from './backups.ts'
import { codeAt, enrol } from './totp-codes.ts'

let server: TestServer
let ann: Visitor
let source: string
let loginToken: string
let file: string
let folder: string
let directory: string
beforeAll(async () => {
  // The restore goes by the real time.
  server = await startTestServer({ clock: buildClock(Date.now()) })
  ann = await buildSuperuser(server)
  await createUser(ann, {
    username: 'tom',
    password: 'temporary-1',
    require_password_change: true,
    expires_hours: 8760,
  })
  const { secret } = await enrol(server, ann)
  const code = codeAt(server, secret)
  dataOf(await buildVisitor(server.url).client.auth.login({ body: { ...ADMIN, code, trust_device_flag: true } }))
  const minted = (await reachServer(server.directory))?.acts['login-token-create']({
    username: 'tom',
    expires_in: 86_400,
  })
  loginToken = (await minted)?.token ?? ''
  source = await mkdtemp(join(tmpdir(), 'latchkey-backups-'))
  file = join(source, 'latchkey.age')
  await backUp(server.directory, file)
})
afterAll(async () => {
  await server.end()
  await rm(source, { recursive: true, force: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-restore-'))
  directory = join(folder, 'data')
  return () => rm(folder, { recursive: true, force: true })
})

test('the restored server knows passwords and keys; what may have been revoked since is over, and the audit says so', async () => {
  const { rehearsal, before } = await restoreTo(directory, file)
  expect(before).toBeUndefined()
  expect(rehearsal).toMatchObject({
    is_set_up: true,
    ended: { sessions: 2, temporary_passwords: 1, login_tokens: 1, trusted_devices: 1 },
  })
  expect((await stat(directory)).mode & 0o777).toBe(0o700)
  expect(await besides(directory)).toEqual(['data'])
  const restored = await startTestServer({ directory, clock: server.clock })
  expect(restored.setupToken).toBeUndefined()
  const old = await restored.storage.users.findByName('tom')
  expect(old?.password_expires).toBeLessThanOrEqual(Date.now())
  const { items } = await restored.storage.audit.list({ event: 'restored' }, { limit: 5 })
  expect(items).toMatchObject([{ actor: 'command line', target: null }])
  const code = codeOf(await buildVisitor(restored.url).client.auth.login({ body: ADMIN }))
  expect(code).toBe('TOTP_REQUIRED')
  const body = { login_type: 'login_token' as const, login_token: loginToken }
  expect(codeOf(await buildVisitor(restored.url).client.auth.login({ body }))).toBe('LOGIN_TOKEN_INVALID')
  await restored.stop()
})

test('sessions live on where that is asked for', async () => {
  const { rehearsal } = await restoreTo(directory, file, { kept: { sessions: true, developer_tokens: false } })
  expect(rehearsal?.ended).toMatchObject({ sessions: 0, temporary_passwords: 1 })
})

describe('a data directory', () => {
  test('that holds something is left alone, unless it may be replaced: then it is moved aside whole', async () => {
    const own = await startTestServer({ directory })
    await buildSuperuser(own)
    await own.stop()
    const files = await readdir(directory)
    await expect(restoreTo(directory, file)).rejects.toThrow('--replace')
    expect(await readdir(directory)).toEqual(files)
    const { before } = await restoreTo(directory, file, { replace: true })
    expect(await readdir(before ?? '')).toEqual(expect.arrayContaining(files))
    expect(await besides(directory)).toEqual(['data', basename(before ?? '')])
    const old = await startTestServer({ directory: before ?? '' })
    await buildSignedIn(old, ADMIN.username, ADMIN.password)
    await old.stop()
  })

  test('that a server holds is refused', async () => {
    await mkdir(directory)
    await writeFile(join(directory, 'x'), '')
    const lock = lockDirectory(directory)
    await expect(restoreTo(directory, file, { replace: true })).rejects.toMatchObject({ code: 'DATA_DIR_LOCKED' })
    lock.release()
    expect(await besides(directory)).toEqual(['data'])
  })
})

describe('changes nothing, and says why:', () => {
  async function refused(path: string, code: string, more = {}) {
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'precious'), '1')
    await writeFile(join(directory, 'keyring.json'), '')
    await expect(restoreTo(directory, path, { replace: true, ...more })).rejects.toMatchObject({ code })
    expect(await readFile(join(directory, 'precious'), 'utf8')).toBe('1')
    expect(await besides(directory)).toEqual(['data'])
  }

  test('a wrong passphrase', () => refused(file, 'NOT_OPENED', { passphrase: 'another one' }))

  test('a file that was cut off anywhere', async () => {
    const whole = await readFile(file)
    const cut = join(source, 'cut.age')
    for (const [at, code] of [
      [0, 'NOT_A_BACKUP'],
      [40, 'NOT_OPENED'],
      [5_000, 'DAMAGED'],
      [Math.floor(whole.length / 2), 'DAMAGED'],
      [whole.length - 1, 'DAMAGED'],
      // Where one of its pieces ends.
      [200 + 65_552 * 2, 'DAMAGED'],
    ] as const) {
      await writeFile(cut, whole.subarray(0, at))
      await refused(cut, code)
    }
  })

  test('a file with one bit flipped anywhere', async () => {
    const whole = await readFile(file)
    const flipped = join(source, 'flipped.age')
    for (const [at, code] of [
      [3, 'NOT_A_BACKUP'],
      [60, 'NOT_OPENED'],
      [190, /NOT_OPENED|DAMAGED/],
      [2_000, 'DAMAGED'],
      [Math.floor(whole.length / 2), 'DAMAGED'],
      [whole.length - 1, 'DAMAGED'],
    ] as const) {
      const changed = Buffer.from(whole)
      changed[at] = (changed[at] ?? 0) ^ 1
      await writeFile(flipped, changed)
      await refused(flipped, code instanceof RegExp ? expect.stringMatching(code) : code)
    }
  })

  test('an archive that somebody made up: paths that lead out, links, parts too many, too few or too large', async () => {
    const parts = await openWithLibraries(file)
    const entries = [...parts].map(([name, content]) => ({ name, content }))
    const [manifest, ...others] = entries
    if (!manifest) expect.fail('there is no manifest')
    const made = join(source, 'made-up.age')
    const said = JSON.parse(manifest.content.toString())
    const saying = (change: object) => ({
      name: 'manifest.json',
      content: Buffer.from(JSON.stringify({ ...said, ...change })),
    })
    const evil = { name: '../evil', content: Buffer.from('x') }
    const part = { name: '../evil', bytes: 1, sha256: said.parts[0].sha256 }
    const huge = said.parts.map((one: object) => ({ ...one, bytes: 2 ** 40 }))
    for (const forged of [
      [],
      others,
      [manifest, ...others, evil],
      [saying({ parts: [...said.parts, part] }), ...others, evil],
      [manifest, ...others.map((one) => ({ ...one, type: 'symlink' as const }))],
      [manifest, ...others.slice(1)],
      [manifest, ...others, ...others],
      [saying({ parts: huge }), ...others],
      [manifest, ...others.map((one) => ({ ...one, content: Buffer.alloc(one.content.length) }))],
    ]) {
      await forge(made, forged)
      await refused(made, 'NOT_A_BACKUP')
    }
    expect(await besides(directory)).not.toContain('evil')
    await forge(made, [saying({ format: 2 }), ...others])
    await refused(made, 'NEWER')
  })

  test('keys that are not those of the database', async () => {
    const other = await startTestServer()
    const keyring = await readFile(join(other.directory, 'keyring.json'))
    await other.end()
    const parts = await openWithLibraries(file)
    const said = JSON.parse(parts.get('manifest.json')?.toString() ?? '')
    for (const one of said.parts)
      if (one.name === 'keyring.json')
        Object.assign(one, { bytes: keyring.length, sha256: createHash('sha256').update(keyring).digest('hex') })
    parts.set('keyring.json', keyring).set('manifest.json', Buffer.from(JSON.stringify(said)))
    const made = join(source, 'other-keys.age')
    await forge(
      made,
      [...parts].map(([name, content]) => ({ name, content })),
    )
    await refused(made, 'DAMAGED')
  })

  test('a restore that was cancelled', async () => {
    const cancelling = new AbortController()
    const step = (what: string) => what === 'ending' && cancelling.abort(new Error('no more of it'))
    const doing = restoreTo(directory, file, {
      signal: cancelling.signal,
      progress: { step: (what) => void step(what), at: () => {} },
    })
    await expect(doing).rejects.toThrow('no more of it')
    expect(await besides(directory)).toEqual([])
  })
})

test('killed between its last two steps, it is finished by the next start', async () => {
  await restoreTo(directory, file)
  const { restored, before } = restorePlaces(directory, Date.now())
  await rename(directory, restored)
  await mkdir(before)
  expect(await findLeftovers(directory)).toMatchObject([
    { kind: 'restored', path: restored },
    { kind: 'before-restore', path: before },
  ])
  const next = await startTestServer({ directory })
  expect(next.setupToken).toBeUndefined()
  expect(await besides(directory)).toEqual(['data', basename(before)])
  await next.stop()
})
