import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { reachServer } from '../../server/control/channel.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { backUp, openWithLibraries, restoreTo } from './backups.ts'

let server: TestServer
let ann: Visitor
let folder: string
let file: string
beforeAll(async () => {
  server = await startTestServer()
  ann = await buildSuperuser(server)
  await mkdir(join(server.directory, 'tls'))
  await writeFile(join(server.directory, 'tls', 'ca.pem'), 'a certificate')
  await writeFile(join(server.directory, 'tls', '.hidden'), 'no part')
})
afterAll(() => server.end())
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-backup-'))
  file = join(folder, 'latchkey.age')
  return () => rm(folder, { recursive: true, force: true })
})

test('a backup is an age file around a tar archive that others open: a plain SQLite file, plain keys, certificates', async () => {
  await createUser(ann, { username: 'before' })
  await backUp(server.directory, file)
  const parts = await openWithLibraries(file)
  expect([...parts.keys()]).toEqual(['manifest.json', 'database.sqlite', 'keyring.json', 'tls/ca.pem'])
  const manifest = JSON.parse(parts.get('manifest.json')?.toString() ?? '')
  expect(manifest).toMatchObject({ format: 1, engine: 'embedded', made_at: new Date(server.clock()).toISOString() })
  for (const { name, bytes, sha256 } of manifest.parts) {
    const part = parts.get(name) ?? expect.fail(`${name} is missing`)
    expect([part.length, createHash('sha256').update(part).digest('hex')]).toEqual([bytes, sha256])
  }
  expect(parts.get('keyring.json')?.toString()).toBe(await readFile(join(server.directory, 'keyring.json'), 'utf8'))
  const database = join(folder, 'database.sqlite')
  await writeFile(database, parts.get('database.sqlite') ?? '')
  const opened = new DatabaseSync(database)
  expect(opened.prepare('select count(*) as count from users where username = ?').get('before')).toEqual({ count: 1 })
  opened.close()
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).toEqual(['database.sqlite', 'latchkey.age'])
  const { items } = dataOf(await ann.client.audit.list({ query: { event: 'backup_made' } }))
  expect(items[0]).toMatchObject({ actor: 'command line', detail: { content: 'everything' } })
})

test('every write that was acknowledged before the command began is in it, however much is written meanwhile', async () => {
  const acknowledged: string[] = []
  let isOver = false
  const writers = Array.from({ length: 4 }, async (_, writer) => {
    for (let index = 0; !isOver; index++) {
      const username = `w${writer}-${index}`
      await createUser(ann, { username })
      acknowledged.push(username)
    }
  })
  try {
    for (const round of [1, 2]) {
      while (acknowledged.length < round * 40) await new Promise((resolve) => setTimeout(resolve, 5))
      const before = [...acknowledged]
      await backUp(server.directory, join(folder, `${round}.age`))
      const restored = join(folder, `data-${round}`)
      await restoreTo(restored, join(folder, `${round}.age`))
      const copy = await startTestServer({ directory: restored, clock: server.clock })
      for (const username of before) expect(await copy.storage.users.findByName(username), username).toBeDefined()
      await copy.stop()
    }
  } finally {
    isOver = true
    await Promise.all(writers)
  }
})

test('two at once, and checkpoints meanwhile, do not take the snapshot from under it', async () => {
  const reached = (await reachServer(server.directory)) ?? expect.fail('the server cannot be reached')
  const held = await reached.acts.backup({ content: 'everything' })
  for (let round = 0; round < 3; round++) {
    await createUser(ann, { username: `round-${round}` })
    await backUp(server.directory, join(folder, `${round}.age`))
  }
  let bytes = 0
  for await (const piece of held.stream) bytes += piece.length
  expect(bytes).toBe(held.bytes)
})

test('of the keys alone holds no database', async () => {
  await backUp(server.directory, file, { content: 'keys' })
  expect([...(await openWithLibraries(file)).keys()]).toEqual(['manifest.json', 'keyring.json', 'tls/ca.pem'])
})

test('with PostgreSQL only the keys are backed up; two servers of one directory do not take the channel from each other', async () => {
  const database = await createDatabase()
  const one = await startTestServer({ config: { database: database.url } })
  const { directory } = one
  const config = { database: database.url, logFile: join(folder, 'second.log') }
  const two = await startTestServer({ config, directory, clock: one.clock })
  await expect(backUp(directory, file)).rejects.toThrow('pg_dump')
  await backUp(directory, file, { content: 'keys' })
  await two.stop()
  expect((await (await reachServer(directory))?.acts.status({}))?.url).toBe(one.url)
  await one.end()
  await database.drop()
  const { rehearsal } = await restoreTo(join(folder, 'data'), file)
  expect(rehearsal).toBeUndefined()
  expect(await readdir(join(folder, 'data'))).toEqual(['keyring.json'])
})

describe('what is there', () => {
  test('is not overwritten unless that is asked for', async () => {
    await writeFile(file, 'precious')
    await expect(backUp(server.directory, file)).rejects.toThrow('--force')
    expect(await readFile(file, 'utf8')).toBe('precious')
    await backUp(server.directory, file, { force: true })
    expect((await readFile(file)).subarray(0, 21).toString()).toBe('age-encryption.org/v1')
    expect(await readdir(folder)).toEqual(['latchkey.age'])
  })

  test('what appears while the backup is written is not overwritten, and what others keep beside it stays', async () => {
    await writeFile(`${file}.part`, 'precious')
    const step = (what: string) => void (what === 'encrypting' && writeFileSync(file, 'precious'))
    await expect(backUp(server.directory, file, { progress: { step, at: () => {} } })).rejects.toThrow('--force')
    expect([readFileSync(file, 'utf8'), readFileSync(`${file}.part`, 'utf8')]).toEqual(['precious', 'precious'])
    expect(await readdir(folder)).toEqual(['latchkey.age', 'latchkey.age.part'])
  })

  test('two backups to one file at once do not take each other’s unfinished one: one is refused, one is whole', async () => {
    const ends = await Promise.allSettled([backUp(server.directory, file), backUp(server.directory, file)])
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect([...(await openWithLibraries(file)).keys()]).toContain('database.sqlite')
    expect(await readdir(folder)).toEqual(['latchkey.age'])
  })

  test('is not replaced, even with --force, when it is no ordinary file', async () => {
    await symlink('/dev/null', file)
    await expect(backUp(server.directory, file, { force: true })).rejects.toThrow('no ordinary file')
    expect((await lstat(file)).isSymbolicLink()).toBe(true)
  })

  test('stays as it was when the backup is cancelled or the server ends; nothing is left behind', async () => {
    const cancelling = new AbortController()
    const at = () => cancelling.abort(new Error('no more of it'))
    const doing = backUp(server.directory, file, { signal: cancelling.signal, progress: { step: () => {}, at } })
    await expect(doing).rejects.toThrow('no more of it')
    expect(await readdir(folder)).toEqual([])

    const other = await startTestServer()
    await mkdir(join(other.directory, 'tls'))
    // More than the buffers of a socket hold.
    for (const name of ['a', 'b', 'c', 'd'])
      await writeFile(join(other.directory, 'tls', name), Buffer.alloc(1_000_000))
    const reached = (await reachServer(other.directory)) ?? expect.fail('the server cannot be reached')
    const packed = await reached.acts.backup({ content: 'everything' })
    await other.end()
    const reading = (async () => {
      let bytes = 0
      for await (const piece of packed.stream) bytes += piece.length
      return bytes
    })()
    await expect(reading).rejects.toThrow()
  })
})
