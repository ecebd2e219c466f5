import { get, type IncomingMessage } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSignedIn, buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

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

function listen(visitor: Visitor): Promise<Stream> {
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  return new Promise((resolve) => {
    const request = get(`${server.url}/api/changes`, { headers: { Cookie: cookie } }, (answer) =>
      resolve(follow(answer)),
    )
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
  const [all, tokens, none] = [
    await listen(admin),
    await listen(await buildSignedIn(server, 'mona', PASSWORD)),
    await listen(await buildSignedIn(server, 'bert', PASSWORD)),
  ]
  expect((await tokens.heardOf(1))[0]).toEqual(['login_tokens'])
  expect((await all.heardOf(1))[0]).toEqual(['access', 'login_tokens', 'audit'])
  const before = all.heard.length
  const begun = performance.now()
  dataOf(await admin.client.loginTokens.create({ body: { login_user_id: bert, expires_in: 60 } }))
  await all.heardOf(before + 1)
  expect(performance.now() - begun).toBeLessThan(1000)
  expect(none.heard.flat()).toEqual([])
  for (const stream of [all, tokens, none]) stream.leave()
})

test('many changes at once are told together', async () => {
  const stream = await listen(admin)
  await stream.heardOf(1)
  await Promise.all(Array.from({ length: 30 }, () => buildSignedIn(server, 'bert', PASSWORD)))
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(stream.heard.length).toBeGreaterThan(1)
  expect(stream.heard.length).toBeLessThan(20)
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
