import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash as bcrypt } from '@node-rs/bcrypt'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { check, countOf, holdAfter, linesOf, manyLines, receive, run, statusOf, until } from './imports.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let root: Visitor

beforeEach(async () => {
  server = await startTestServer()
  root = await buildSuperuser(server)
})
afterEach(() => server.end())

/** An import of 1000 users that stands after the second batch. */
async function startHeld(visitor: Visitor, prefix = 'half') {
  const { params } = await check(visitor, manyLines(1000, prefix))
  const held = holdAfter(server, 2)
  dataOf(await visitor.client.userImports.run({ params, body: { skip_faulty: false } }))
  await held.reached
  return { params, ...held }
}

describe('with faulty lines', () => {
  const rows = [...manyLines(300, 'sound'), { line: 999, username: 'sound-not', email: 'nothing' }]

  test('nothing is made', async () => {
    const { params, status } = await check(root, rows)
    expect(status.faulty).toBe(1)
    expect(await run(root, params)).toBe('IMPORT_FAULTY')
    expect(await countOf(server, 'sound')).toBe(0)
    expect(await statusOf(root, params)).toMatchObject({ state: 'checked' })
  })

  test('the others are made when the person says so', async () => {
    const { params } = await check(root, rows)
    expect(await run(root, params, true)).toMatchObject({ state: 'done', imported: 300, done: 301, faulty: 1 })
    expect(await countOf(server, 'sound')).toBe(300)
  })

  test('only, nobody is made', async () => {
    const { params } = await check(root, linesOf([{ username: '?' }, { username: 'x' }]))
    expect(await run(root, params, true)).toMatchObject({ state: 'done', imported: 0, done: 2 })
  })
})

describe('a name taken between check and run', () => {
  const rows = [...manyLines(450, 'late'), ...linesOf([{ username: 'below-1', manager: 'late420' }])]

  test('undoes the whole', async () => {
    const { params } = await check(root, rows)
    await createUser(root, { username: 'late420' })
    expect(await run(root, params)).toMatchObject({
      state: 'undone',
      reason: 'conflict',
      imported: 0,
      faulty: 1,
      faults: [{ line: 422, field: 'username', fault: 'taken' }],
    })
    expect(await countOf(server, 'late')).toBe(1)
    expect(await server.storage.userImports.part(params.import_id, 0)).toBeUndefined()
  })

  test('is skipped when faulty lines are, with all who were to be managed by it', async () => {
    const { params } = await check(root, rows)
    await createUser(root, { username: 'late420' })
    await createUser(root, { username: 'somebody', email: 'late7@example.org' })
    const end = await run(root, params, true)
    expect(end).toMatchObject({
      state: 'done',
      imported: 448,
      done: 451,
      faulty: 3,
      faults: [
        { line: 9, field: 'email', fault: 'taken' },
        { line: 422, field: 'username', fault: 'taken' },
        { line: 2, field: 'manager', fault: 'unknown' },
      ],
    })
    expect(await server.storage.users.findByName('below-1')).toBeUndefined()
  })
})

describe('in the middle of a run', () => {
  test('users are there already, no step goes on a second time, and the rest follows', async () => {
    const { params, release } = await startHeld(root)
    expect(await statusOf(root, params)).toMatchObject({ state: 'running', imported: 300, done: 300, rows: 1000 })
    const calls = root.client.userImports
    expect(codeOf(await calls.run({ params, body: { skip_faulty: false } }))).toBe('IMPORT_STATE')
    expect(codeOf(await calls.check({ params }))).toBe('IMPORT_STATE')
    expect(codeOf(await calls.begin())).toBe('IMPORT_STATE')
    release()
    expect(await until(root, params, 'done')).toMatchObject({ imported: 1000, reason: null })
    expect(await countOf(server, 'half')).toBe(1000)
  })

  test('cancelling leaves nothing', async () => {
    const { params, release } = await startHeld(root)
    dataOf(await root.client.userImports.remove({ params }))
    expect((await statusOf(root, params)).state).toBe('undoing')
    dataOf(await root.client.userImports.remove({ params }))
    release()
    expect(await until(root, params, 'undone')).toMatchObject({ reason: 'cancelled', imported: 0 })
    expect(await countOf(server, 'half')).toBe(0)
    expect(await server.storage.userImports.part(params.import_id, 1)).toBeUndefined()
    dataOf(await root.client.userImports.remove({ params }))
    expect(codeOf(await root.client.userImports.read({ params }))).toBe('IMPORT_NOT_FOUND')
  })

  test('a restart leaves nothing', async () => {
    const { params, release } = await startHeld(root)
    const stopped = server.restart()
    release()
    server = await stopped
    root = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    expect(await until(root, params, 'undone')).toMatchObject({ reason: 'interrupted', imported: 0 })
    expect(await countOf(server, 'half')).toBe(0)
  })

  test('a failure of storage leaves nothing', async () => {
    const { params } = await check(root, manyLines(1000, 'half'))
    const { insert } = server.storage.userImports
    let calls = 0
    server.storage.userImports.insert = (...args) =>
      calls++ === 3 ? Promise.reject(new Error('the disk is full')) : insert(...args)
    expect(await run(root, params)).toMatchObject({ state: 'undone', reason: 'interrupted', imported: 0 })
    expect(await countOf(server, 'half')).toBe(0)
  })

  test.each<[string, (chiefId: number, chief: Visitor) => Promise<unknown>]>([
    ['is disabled', (id) => root.client.users.edit({ params: { id: String(id) }, body: { enabled: false } })],
    [
      'loses a permission',
      (id) => root.client.users.edit({ params: { id: String(id) }, body: { permissions: ['USER_CONFIG'] } }),
    ],
    ['is deleted', (id) => server.storage.users.remove(id, server.clock())],
    ['signs out', (_id, chief) => chief.client.auth.logout()],
  ])('nothing is left when the person %s', async (_what, change) => {
    const permissions = ['USER_CONFIG' as const, 'AUDIT_LOG' as const]
    const chiefId = await createUser(root, { username: 'chief', password: PASSWORD, permissions })
    const chief = await buildSignedIn(server, 'chief', PASSWORD)
    const { params, release } = await startHeld(chief)
    await change(chiefId, chief)
    release()
    await expect
      .poll(() => server.storage.userImports.find(params.import_id))
      .toMatchObject({ state: 'undone', reason: 'not_allowed' })
    expect(await countOf(server, 'half')).toBe(0)
  })

  test('the next import waits for its turn', async () => {
    const permissions = ['USER_CONFIG' as const]
    await createUser(root, { username: 'chief', password: PASSWORD, permissions })
    const chief = await buildSignedIn(server, 'chief', PASSWORD)
    const { params, release } = await startHeld(root)
    const second = await receive(chief, manyLines(10, 'second'))
    dataOf(await chief.client.userImports.check({ params: second }))
    expect(await statusOf(chief, second)).toMatchObject({ state: 'checking', done: 0 })
    release()
    await until(root, params, 'done')
    await until(chief, second, 'checked')
  })
})

test('removing an import under check ends the check', async () => {
  const { params } = await check(root, manyLines(1000, 'half'))
  dataOf(await root.client.userImports.check({ params }))
  dataOf(await root.client.userImports.remove({ params }))
  expect(codeOf(await root.client.userImports.read({ params }))).toBe('IMPORT_NOT_FOUND')
})

test('a check broken off by a restart may be made again', async () => {
  const { params } = await check(root, manyLines(10, 'half'))
  await server.storage.userImports.beginCheck(params.import_id, { runner: 'dead', at: server.clock() })
  server = await server.restart()
  root = await buildSignedIn(server, ADMIN.username, ADMIN.password)
  expect(await until(root, params, 'receiving')).toMatchObject({ reason: 'interrupted', rows: 10 })
  dataOf(await root.client.userImports.check({ params }))
  expect(await until(root, params, 'checked')).toMatchObject({ faulty: 0, reason: null })
})

test('the log tells who imported how many and what was undone and why, and no hash', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-log-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  const logFile = join(directory, 'log')
  await server.end()
  server = await startTestServer({ config: { logFile } })
  root = await buildSuperuser(server)
  const password_hash = await bcrypt(PASSWORD, 4)
  const done = await check(
    root,
    linesOf([
      { username: 'logged', password_hash },
      { username: '?', password_hash },
    ]),
  )
  await run(root, done.params, true)
  const { params, release } = await startHeld(root)
  await root.client.userImports.remove({ params })
  release()
  await until(root, params, 'undone')
  await server.stop()
  const log = await readFile(logFile, 'utf8')
  const events = log
    .split('\n')
    .filter((line) => line.includes('"users_import'))
    .map((line): unknown => JSON.parse(line))
  expect(events).toMatchObject([
    { event: 'users_imported', by: 1, import_id: done.params.import_id, count: 1 },
    { event: 'users_import_undone', by: 1, import_id: params.import_id, reason: 'cancelled' },
  ])
  expect(log).not.toContain(password_hash.slice(7))
})

describe('an import that is over', () => {
  test('is forgotten by its removal, and its users stay', async () => {
    const { params } = await check(root, manyLines(450, 'staying'))
    expect(await run(root, params)).toMatchObject({ state: 'done', imported: 450 })
    dataOf(await root.client.userImports.remove({ params }))
    expect(codeOf(await root.client.userImports.read({ params }))).toBe('IMPORT_NOT_FOUND')
    expect(await countOf(server, 'staying')).toBe(450)
  })

  test('gives way to the next one of the same person', async () => {
    const first = await receive(root, manyLines(3, 'given-up'))
    await receive(root, manyLines(3, 'next'))
    expect(codeOf(await root.client.userImports.read({ params: first }))).toBe('IMPORT_NOT_FOUND')
  })
})
