import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createChanges } from '../../server/domain/changes.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let admin: Visitor
let bert = 0

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  bert = await createUser(admin, { username: 'bert', password: PASSWORD })
  await createUser(admin, { username: 'mona', password: PASSWORD, permissions: ['LOGIN_TOKENS'] })
})
afterAll(() => server.end())

interface Stream {
  status: number | undefined
  /** What was heard so far. */
  heard: string[][]
  /** Resolves when so many events are in. */
  heardOf(count: number): Promise<string[][]>
  ended: Promise<void>
  leave(): void
}

function listen(visitor: Visitor, url = server.url): Promise<Stream> {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new Promise((resolve) => {
    const request = get(`${url}/api/changes`, { headers: { Cookie: cookie } }, (answer) => resolve(follow(answer)))
    request.on('error', () => {})
  })
}

function follow(answer: IncomingMessage): Stream {
  const heard: string[][] = []
  const waiting: (() => void)[] = []
  answer.setEncoding('utf8').on('data', (text: string) => {
    for (const [, json = ''] of text.matchAll(/^data: (.*)$/gm)) heard.push(JSON.parse(json).topics)
    for (const wake of waiting.splice(0)) wake()
  })
  answer.on('error', () => {})
  return {
    status: answer.statusCode,
    heard,
    async heardOf(count) {
      while (heard.length < count) await new Promise<void>((resolve) => waiting.push(resolve))
      return heard
    },
    ended: new Promise((resolve) => answer.once('close', () => resolve())),
    leave: () => answer.destroy(),
  }
}

test('tells at once what may be looked at, by permission, and within a second what has changed', async () => {
  const [all, tokens] = [await listen(admin), await listen(await buildSignedIn(server, 'mona', PASSWORD))]
  expect((await tokens.heardOf(1))[0]).toEqual(['login_tokens'])
  expect((await all.heardOf(1))[0]).toEqual(['access', 'login_tokens', 'audit'])
  const before = all.heard.length
  const begun = performance.now()
  dataOf(await admin.client.loginTokens.create({ body: { login_user_id: bert, expires_in: 60 } }))
  await all.heardOf(before + 1)
  expect(performance.now() - begun).toBeLessThan(1000)
  expect(tokens.heard.flat()).not.toContain('access')
  for (const stream of [all, tokens]) stream.leave()
})

test('who may look at nothing takes nobody a place, however often he comes', async () => {
  const visitor = await buildSignedIn(server, 'bert', PASSWORD)
  const tried = await Promise.all(Array.from({ length: 30 }, () => listen(visitor)))
  expect(tried.map(({ status }) => status)).toEqual(tried.map(() => 403))
})

test('many changes at once are told together', async () => {
  const stream = await listen(admin)
  await stream.heardOf(1)
  const began = performance.now()
  await Promise.all(Array.from({ length: 30 }, () => buildSignedIn(server, 'bert', PASSWORD)))
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(stream.heard.length).toBeGreaterThan(1)
  // At most one each quarter of a second, however long a busy machine took for the sign-ins.
  expect(stream.heard.length).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - began) / 250))
  stream.leave()
})

test('a session that has ended hears no more', async () => {
  const visitor = await buildSignedIn(server, 'mona', PASSWORD)
  const stream = await listen(visitor)
  await stream.heardOf(1)
  await visitor.client.auth.logout()
  await buildSignedIn(server, 'bert', PASSWORD)
  await stream.ended
})

test('one session keeps no more than twelve open, and those that leave make room', async () => {
  const visitor = await buildSignedIn(server, 'mona', PASSWORD)
  const streams = await Promise.all(Array.from({ length: 12 }, () => listen(visitor)))
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))
  expect((await listen(visitor)).status).toBe(503)
  for (const stream of streams) stream.leave()
  await expect.poll(async () => (await listen(visitor)).status).toBe(200)
})

test('one user keeps no more than 24 open in all his sessions, which shuts nobody else out', async () => {
  await createUser(admin, { username: 'many', password: PASSWORD, permissions: ['LOGIN_TOKENS'] })
  const sessions = await Promise.all(Array.from({ length: 3 }, () => buildSignedIn(server, 'many', PASSWORD)))
  const [one, two, three] = sessions
  if (!one || !two || !three) throw new Error('not signed in')
  const streams = await Promise.all(Array.from({ length: 24 }, (_, index) => listen(index % 2 ? one : two)))
  expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))
  expect((await listen(three)).status).toBe(503)
  const other = await listen(await buildSignedIn(server, 'mona', PASSWORD))
  expect(other.status).toBe(200)
  for (const stream of [...streams, other]) stream.leave()
  await expect.poll(async () => (await listen(three)).status).toBe(200)
})

test('an open stream keeps no session alive', async () => {
  const own = await startTestServer()
  await createUser(await buildSuperuser(own), { username: 'bert', password: PASSWORD })
  const visitor = await buildSignedIn(own, ADMIN.username, ADMIN.password)
  const stream = await listen(visitor, own.url)
  await stream.heardOf(1)
  for (const hours of [13, 10]) {
    const before = stream.heard.length
    own.clock.advance(hours * 3_600_000)
    await buildSignedIn(own, 'bert', PASSWORD)
    await stream.heardOf(before + 1)
  }
  const heard = stream.heard.length
  own.clock.advance(2 * 3_600_000)
  await buildSignedIn(own, 'bert', PASSWORD)
  await stream.ended
  expect(stream.heard).toHaveLength(heard)
  expect(codeOf(await visitor.client.auth.me())).toBe('SESSION_EXPIRED')
  await own.end()
})

test('a permission that is lost is heard of no more, and one that is given is heard of after coming again', async () => {
  const permissions = ['LOGIN_TOKENS', 'AUDIT_LOG'] as const
  const id = await createUser(admin, { username: 'paul', password: PASSWORD, permissions: [...permissions] })
  const visitor = await buildSignedIn(server, 'paul', PASSWORD)
  const edit = async (...now: (typeof permissions)[number][]) =>
    dataOf(await admin.client.users.edit({ params: { id: String(id) }, body: { permissions: now } }))
  const both = await listen(visitor)
  expect(await both.heardOf(1)).toEqual([['login_tokens', 'audit']])
  await edit('LOGIN_TOKENS')
  await both.ended
  expect(both.heard).toHaveLength(1)
  const fewer = await listen(visitor)
  expect(await fewer.heardOf(1)).toEqual([['login_tokens']])
  await edit('LOGIN_TOKENS', 'AUDIT_LOG')
  dataOf(await admin.client.loginTokens.create({ body: { login_user_id: bert, expires_in: 60 } }))
  await fewer.ended
  const again = await listen(visitor)
  expect(await again.heardOf(1)).toEqual([['login_tokens', 'audit']])
  again.leave()
})

test('nobody begins to listen once all listening has ended, not even who was let in just before', () => {
  const changes = createChanges()
  const late = changes.listen('early', ['audit'], 1)
  if (late === 'full') throw new Error('full')
  changes.stop()
  expect(changes.listen('late', ['audit'], 2)).toBe('full')
  const heard: unknown[] = []
  let ended = false
  late(
    (event) => heard.push(event),
    () => (ended = true),
  )
  expect([ended, heard, changes.isHeard()]).toEqual([true, [], false])
})

test('a crowd that is let in at once is counted as it sits down', () => {
  const changes = createChanges()
  const ends: number[] = []
  const crowd = Array.from({ length: 40 }, (_, index) => changes.listen(`session ${index}`, ['audit'], 1))
  const leave = crowd.flatMap((listening, index) =>
    listening === 'full'
      ? []
      : [
          listening(
            () => {},
            () => ends.push(index),
          ),
        ],
  )
  expect(ends).toHaveLength(16)
  for (const go of leave) go()
  expect(changes.isHeard()).toBe(false)
})

test('a server that stops does not wait for who listens', async () => {
  const own = await startTestServer()
  const visitor = await buildSuperuser(own)
  const answered = new Promise<IncomingMessage>((resolve) => {
    const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    get(`${own.url}/api/changes`, { headers: { Cookie: cookie } }, resolve)
  })
  ;(await answered).resume()
  const begun = performance.now()
  await own.end()
  expect(performance.now() - begun).toBeLessThan(3000)
})
