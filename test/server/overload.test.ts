import { hash as bcrypt } from '@node-rs/bcrypt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPasswordPolicy } from '../../server/domain/password-policy.ts'
import { StorageWriteError } from '../../server/storage/errors.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, type Visitor } from '../helpers/visitor.ts'
import { storeUser } from '../storage/builders.ts'
import { sendRequest } from './raw.ts'

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
})
afterEach(() => server.end())

const login = (username: string) =>
  buildVisitor(server.url).http.post('/api/auth/login', { username, password: ADMIN.password })

describe('a flood of sign-ins', () => {
  test('of fifty leaves the server quick for everything else', async () => {
    const flood = Promise.all(Array.from({ length: 50 }, (_, at) => login(`name-${at}`)))
    const took: number[] = []
    for (let at = 0; at < 20; at += 1) {
      const started = performance.now()
      expect((await admin.http.get('/api/health')).status).toBe(200)
      took.push(performance.now() - started)
    }
    // Far from the half a second that a frozen server would take.
    expect(took.sort((a, b) => a - b)[10]).toBeLessThan(200)
    expect((await flood).every(({ status }) => status === 401)).toBe(true)
  })

  test('beyond what can wait is told to come back, and when; the others are answered', async () => {
    // Imported hashes that take seconds hold every worker while the flood comes in.
    const password_hash = await bcrypt('no matter', 14)
    for (const username of ['slow-1', 'slow-2', 'slow-3']) await storeUser(server.storage, { username, password_hash })
    const slow = ['slow-1', 'slow-2', 'slow-3'].map(login)
    const answers = await Promise.all(Array.from({ length: 440 }, (_, at) => login(`name-${at}`)))
    const busy = answers.filter(({ status }) => status === 503)
    expect(busy.length).toBeGreaterThanOrEqual(20)
    expect(busy[0]?.data).toMatchObject({ error: 'OVERLOADED', error_data: { retry_after: 2 } })
    expect(busy[0]?.headers['retry-after']).toBe('2')
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(answers.length - busy.length)
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([401, 401, 401])
    expect((await login('ann')).status).toBe(200)
  }, 120_000)

  test('that gives up half-way keeps no place in the line', async () => {
    const giveUp = AbortSignal.timeout(5)
    const { client } = buildVisitor(server.url)
    const given = Array.from({ length: 40 }, (_, at) =>
      client.auth.login({ body: { username: `n-${at}`, password: 'x' } }, { signal: giveUp }),
    )
    expect((await Promise.all(given)).map(codeOf)).toContain('UNREACHABLE')
    expect((await login('ann')).status).toBe(200)
  })
})

describe('work that an attacker makes', () => {
  test.each([
    ['as long as is read', 'aB3$'.repeat(256)],
    ['one sign a thousand times', 'a'.repeat(1000)],
    ['letters that look like others', '4@8({[</369&#!1/|0$5+7%2/4@8({[<'.repeat(4)],
    ['keys beside each other', 'qwertyuiopasdfghjklzxcvbnm1234567890'.repeat(3)],
    ['dates without end', '1991-12-31 1992-11-30 1993-10-29 1994-09-28 1995-08-27 1996-07-26 1997-06-25'],
    ['half-words', 'p4ssw0rd'.repeat(8)],
    ['marks upon marks', 'a\u0301'.repeat(500)],
  ])('by a password of %s is little: the judgement of a password holds up everybody else', async (_what, password) => {
    const judge = createPasswordPolicy()
    const context = { min_length: 8, names: ['ann', 'A'.repeat(80)] }
    await judge('tall grass at noon', context)
    const before = process.cpuUsage()
    await judge(password, context)
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(200)
  })

  test.each([
    'Accept-Language',
    'Cookie',
    'Authorization',
    'X-Forwarded-For',
    'If-None-Match',
    'Accept-Encoding',
    'Origin',
  ])('by a header made to be slow to read blocks nobody: %s', async (name) => {
    const before = process.cpuUsage()
    for (const part of ['a,', 'a;q=0.1,', ' ', '=', '"a', 'Bearer ', ';', ':1:'])
      await sendRequest(server.url, 'POST /api/auth/logout', [
        `${name}: ${part.repeat(Math.floor(14_000 / part.length))}`,
        'Content-Length: 0',
      ])
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(1000)
  })
})

describe('storage that fails', () => {
  test('to write is told as such, changes nothing and lets nobody in', async () => {
    server.storage.sessions.create = () => Promise.reject(new StorageWriteError('DISK_FULL', '/var/lib is full'))
    const answer = await login('ann')
    expect([answer.status, answer.data.error, answer.headers['set-cookie']]).toEqual([
      503,
      'STORAGE_UNAVAILABLE',
      undefined,
    ])
    expect(JSON.stringify(answer.data)).not.toContain('/var/lib')
  })

  test('to be read closes every door, and is seen by whoever watches', async () => {
    server.storage.sessions.findBySecret = () => Promise.reject(new StorageWriteError('WRITE_FAILED', 'gone'))
    server.storage.ping = () => Promise.reject(new StorageWriteError('WRITE_FAILED', 'gone'))
    expect(codeOf(await admin.client.auth.me())).toBe('STORAGE_UNAVAILABLE')
    expect((await admin.http.get('/api/health')).status).toBe(503)
  })

  test('to note the last use harms nobody', async () => {
    server.storage.sessions.touch = () => Promise.reject(new Error('no'))
    server.clock.advance(120_000)
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
  })
})
