import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAudit } from '../../server/domain/audit.ts'
import { hashOf } from '../../server/domain/audit-hash.ts'
import { exportAudit } from '../../server/domain/audit-export.ts'
import { createAuditSeal } from '../../server/domain/audit-seal.ts'
import { createChanges } from '../../server/domain/changes.ts'
import { startFollowingAudit } from '../../server/follow-audit.ts'
import { createLog } from '../../server/log.ts'
import { StorageWriteError } from '../../server/storage/errors.ts'
import { createDatabase } from '../helpers/postgres.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
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
import { breaksOf, buildEntry, readAll } from '../storage/audit-entries.ts'
import { exportLines, faultsIn } from './audit-exports.ts'
import { codeIn } from './raw.ts'

const DAY = 86_400_000
const PASSWORD = 'wooden quiet lamp'

describe('what cannot be written into the audit', () => {
  let server: TestServer
  let ann: Visitor
  beforeAll(async () => {
    server = await startTestServer()
    ann = await buildSuperuser(server)
    await createUser(ann, { username: 'bob', password: PASSWORD })
  })
  afterAll(() => server.end())
  const append = () => Promise.reject(new StorageWriteError('DISK_FULL', 'broken on purpose'))
  let whole: TestServer['storage']['audit']['append']
  beforeEach(() => {
    whole = server.storage.audit.append
    server.storage.audit.append = append
  })
  afterEach(() => {
    server.storage.audit.append = whole
  })

  test.each([
    ['a sign-in', { username: 'bob', password: PASSWORD }],
    ['a refused sign-in', { username: 'bob', password: 'wrong' }],
  ])('is answered with 503, without cookie or token: %s', async (_what, body) => {
    const visitor = buildVisitor(server.url)
    const answer = await visitor.http.post('/api/auth/login', body)
    expect([answer.status, codeIn(answer.data)]).toEqual([503, 'STORAGE_UNAVAILABLE'])
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(JSON.stringify(answer.data)).not.toMatch(/eyJ|INCORRECT/)
    expect(visitor.cookies.size).toBe(0)
  })

  test('is answered with 503: what a limit or a guard refuses, and a download', async () => {
    const bob = buildVisitor(server.url)
    server.storage.audit.append = whole
    dataOf(await bob.client.auth.login({ body: { username: 'bob', password: PASSWORD } }))
    server.storage.audit.append = append
    expect((await bob.http.get('/api/v2/users')).status).toBe(503)
    expect((await bob.http.get('/api/v2/users/1')).status).toBe(503)
    const file = await ann.http.get('/api/audit/export?format=csv')
    expect([file.status, codeIn(file.data)]).toEqual([503, 'STORAGE_UNAVAILABLE'])
  })

  test('does not keep from reading, and all goes on once storage is back', async () => {
    expect(codeOf(await ann.client.auth.me())).toBe('ok')
    expect((await ann.http.get('/api/audit')).status).toBe(200)
    server.storage.audit.append = whole
    await buildSignedIn(server, 'bob', PASSWORD)
    expect(await breaksOf(server.storage)).toEqual([])
  })

  test('is no startup token', async () => {
    const temporary_token = server.mintStartupToken()
    await expect.poll(async () => dataOf(await ann.client.auth.setupStatus()).temporary_login_token_enabled).toBe(false)
    server.storage.audit.append = whole
    const login = await buildVisitor(server.url).client.auth.login({
      body: { login_type: 'temporary_token', temporary_token },
    })
    expect(codeOf(login)).toBe('TEMPORARY_TOKEN_INVALID')
  })
})

describe('floods of refusals', () => {
  let server: TestServer
  let ann: Visitor
  let bob: Visitor
  beforeEach(async () => {
    server = await startTestServer()
    ann = await buildSuperuser(server)
    await createUser(ann, { username: 'bob', password: PASSWORD })
    bob = await buildSignedIn(server, 'bob', PASSWORD)
  })
  afterEach(() => server.end())
  const entriesOf = async (event: string) =>
    (await readAll(server.storage, { event })).map(({ detail, ...entry }) => ({
      ...entry,
      detail: JSON.parse(detail),
    }))
  const lookAt = (user_id: number) => bob.http.get(`/api/v2/users/${user_id}`)

  test('walking the ids of others is one flood', async () => {
    for (let id = 100; id < 140; id++) await lookAt(id)
    expect(await entriesOf('access_refused')).toMatchObject([{ target_id: 100, detail: { code: expect.any(String) } }])
    server.clock.advance(60_000)
    await lookAt(1)
    expect((await entriesOf('access_refused')).map(({ detail }) => detail.left_out)).toEqual([undefined, 39])
  })

  test('what was left out when one ends is written with the next event of any kind', async () => {
    for (let id = 100; id < 105; id++) await lookAt(id)
    const { seq } = await server.storage.audit.head()
    server.clock.advance(59_999)
    await buildSignedIn(server, 'bob', PASSWORD)
    expect((await server.storage.audit.head()).seq).toBe(seq + 1)
    server.clock.advance(1)
    await buildSignedIn(server, 'bob', PASSWORD)
    expect((await entriesOf('access_refused')).slice(1)).toMatchObject([{ target_id: 104, detail: { left_out: 3 } }])
    server.clock.advance(600_000)
    await buildSignedIn(server, 'bob', PASSWORD)
    expect(await entriesOf('access_refused')).toHaveLength(2)
    expect(await breaksOf(server.storage)).toEqual([])
  })

  test('what was left out is written when the server stops', async () => {
    for (let id = 100; id < 105; id++) await lookAt(id)
    server = await server.restart()
    expect((await entriesOf('access_refused')).slice(1)).toMatchObject([{ target_id: 104, detail: { left_out: 3 } }])
  })

  test('one that could not be written leaves no gap, neither does what was owed', async () => {
    const whole = server.storage.audit.append
    server.storage.audit.append = () => Promise.reject(new StorageWriteError('DISK_FULL', 'broken on purpose'))
    expect((await lookAt(100)).status).toBe(503)
    server.storage.audit.append = whole
    await lookAt(101)
    await lookAt(102)
    await lookAt(103)
    expect(await entriesOf('access_refused')).toMatchObject([{ target_id: 101 }])
    server.clock.advance(60_000)
    server.storage.audit.append = () => Promise.reject(new StorageWriteError('DISK_FULL', 'broken on purpose'))
    expect((await bob.http.get('/api/v2/settings')).status).toBe(503)
    server.storage.audit.append = whole
    server.clock.advance(60_000)
    await buildSignedIn(server, 'bob', PASSWORD)
    expect((await entriesOf('access_refused')).slice(1)).toMatchObject([{ target_id: 103, detail: { left_out: 1 } }])
  })

  test('refused sign-ins from one address are six hundred a minute, and counted', async () => {
    const { append, settled } = createAudit({
      storage: server.storage,
      changes: createChanges(),
      clock: server.clock,
    })
    const refused = (ip: string) =>
      append(
        { event: 'sign_in_refused', auth_source: 'password', reason: 'incorrect' },
        { ip, user_agent: null, request_id: null },
      )
    await Promise.all(Array.from({ length: 640 }, () => refused('203.0.113.1')))
    await refused('203.0.113.2')
    expect(await entriesOf('sign_in_refused')).toHaveLength(601)
    server.clock.advance(60_000)
    await refused('203.0.113.1')
    const left = await entriesOf('sign_in_refused')
    expect(left).toHaveLength(602)
    expect(left.at(-1)?.detail).toMatchObject({ left_out: 40 })
    await settled()
    expect(await entriesOf('sign_in_refused')).toHaveLength(602)
  })
})

describe('an export', () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startTestServer()
    // More than one part of it.
    await server.storage.audit.append(Array.from({ length: 1_100 }, entry), hashOf)
  })
  afterAll(() => server.end())
  const entry = () => buildEntry({ at: server.clock() })
  const begin = () =>
    exportAudit(
      { storage: server.storage, auditSeal: createAuditSeal(Buffer.alloc(32)), clock: server.clock },
      { filter: {}, said: {}, format: 'jsonl' },
    )

  test('ends with what was there when it began, whatever is written meanwhile', async () => {
    const { seq } = await server.storage.audit.head()
    const parts: string[] = []
    for await (const part of begin()) {
      parts.push(part)
      await server.storage.audit.append([entry()], hashOf)
    }
    expect(parts.length).toBeGreaterThan(3)
    expect(JSON.parse(parts.at(-1) ?? '')).toMatchObject({ seal: { first_seq: 1, last_seq: seq, entries: seq } })
  })

  test('breaks off when entries that it needs are trimmed meanwhile', async () => {
    const parts = begin()
    await parts.next()
    server.clock.advance(10 * DAY)
    expect(await server.storage.audit.trim(server.clock() - DAY, entry, hashOf)).toBeDefined()
    await expect(parts.next()).rejects.toThrow('trimmed')
  })
})

describe('two servers on one PostgreSQL', () => {
  let database: Awaited<ReturnType<typeof createDatabase>>
  let one: TestServer
  let two: TestServer
  let ann: Visitor
  beforeAll(async () => {
    database = await createDatabase()
    one = await startTestServer({ config: { database: database.url } })
    const { directory, clock } = one
    const config = { database: database.url, logFile: join(directory, 'second.log') }
    two = await startTestServer({ config, directory, clock })
    ann = await buildSuperuser(one)
  })
  afterAll(async () => {
    await two.stop()
    await one.end()
    await database.drop()
  })

  test('write one chain, of a hundred acts at both', async () => {
    const before = (await readAll(one.storage)).length
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        buildVisitor((index % 2 === 0 ? one : two).url).http.post('/api/auth/login', {
          username: `nobody-${index}`,
          password: 'x',
        }),
      ),
    )
    const left = (await readAll(two.storage)).slice(before)
    expect(left.map(({ request_id }) => request_id).sort()).toEqual(
      answers.map(({ headers }) => headers['x-request-id']).sort(),
    )
    expect(await breaksOf(one.storage)).toEqual([])
  })

  test('seal with one key, and what either exports is intact', async () => {
    const cookie = { Cookie: `latchkey_session=${ann.cookies.get('latchkey_session')}` }
    const seals: unknown[] = []
    for (const server of [one, two]) {
      const lines = await exportLines(buildVisitor(server.url, cookie), 'jsonl')
      expect(await faultsIn(one.directory, 'jsonl', lines)).toEqual([])
      seals.push(JSON.parse(lines.at(-1) ?? '').seal.key)
    }
    expect(seals[0]).toBe(seals[1])
  })

  test('hear of each other, as long as somebody listens', async () => {
    const changes = createChanges()
    const { log } = createLog({ level: 'error', destination: join(one.directory, 'follow.log') })
    const following = startFollowingAudit(two.storage, changes, log)
    const heard: string[][] = []
    const listen = changes.listen('session', ['access', 'audit'], 1)
    if (listen === 'full') throw new Error('full')
    const stop = listen(
      ({ topics }) => heard.push(topics),
      () => {},
    )
    await expect.poll(() => heard.length).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    const calm = heard.length
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    expect(heard).toHaveLength(calm)
    await buildSignedIn(one, ADMIN.username, ADMIN.password)
    await expect.poll(() => heard.length).toBe(calm + 1)
    expect(heard.at(-1)).toEqual(['access', 'audit'])
    stop()
    following.stop()
  })
})
