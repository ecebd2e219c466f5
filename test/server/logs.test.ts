import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, createUser } from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'
import { postBytes } from './raw.ts'
import { codeAt, enrol } from './totp-codes.ts'

const AGENT = 'Log Test/1.0'
const WRONG = 'a wrong password that somebody typed'
const TYPED = 'my-password-in-the-name-box'

type Line = Record<string, unknown>

let server: TestServer
let lines: Line[]
let text: string
/** Everything that must never be written down. */
const secrets: string[] = []

beforeAll(async () => {
  server = await startTestServer()
  const setupToken = server.setupToken ?? ''
  const ann = await buildSuperuser(server)
  const { secret, recovery_codes } = await enrol(server, ann)
  const visitor = buildVisitor(server.url, { 'User-Agent': AGENT })
  const login = (body: object) => visitor.http.post('/api/auth/login', body)
  const startup = server.mintStartupToken()
  const guest = await createUser(ann, { username: 'guest', password: 'wooden quiet lamp' })
  const link = await makeLoginToken(server, guest)

  await login({ username: 'ann', password: WRONG })
  await login({ username: TYPED, password: WRONG })
  await login(ADMIN)
  const code = codeAt(server, secret)
  await login({ ...ADMIN, code, trust_device_flag: true })
  await login({ ...ADMIN, code: '111111' })
  await login({ ...ADMIN, code: recovery_codes[0] })
  await visitor.client.auth.reauth({ body: { password: ADMIN.password } })
  await login({ login_type: 'temporary_token', temporary_token: 'a-wrong-startup-token' })
  await login({ login_type: 'temporary_token', temporary_token: startup })
  await visitor.client.users.editMe({ body: { password: 'password1' } })
  await visitor.client.users.editMe({ body: { password: 'tall grass at noon' } })
  secrets.push(...visitor.cookies.values())
  await login({ login_type: 'login_token', login_token: link })
  await visitor.client.users.list()
  await visitor.client.users.create({ body: { username: 'x' } })
  await visitor.http.get(`/login/token/${link}?token=${startup}`)
  await visitor.http.get(`/api/auth/me?token=${startup}`, { headers: { Authorization: `Bearer ${startup}` } })
  await postBytes(server.url, '/api/auth/login', `{"password":"${WRONG}"`, [`User-Agent: ${AGENT}`])
  await visitor.http.post('/api/auth/logout', {}, { headers: { Origin: 'http://evil.example' } })
  server.storage.sessions.listLive = () => Promise.reject(new Error('broken on purpose'))
  await visitor.client.auth.sessions()

  secrets.push(
    setupToken,
    secret,
    ...recovery_codes,
    startup,
    link,
    code,
    ADMIN.password,
    WRONG,
    'wooden quiet lamp',
    'tall grass at noon',
  )
  secrets.push('a-wrong-startup-token', ...ann.cookies.values(), '$argon2id')
  await server.stop()
  text = await readFile(join(server.directory, 'latchkey.log'), 'utf8')
  lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
})
afterAll(async () => {
  const again = await startTestServer({ directory: server.directory })
  await again.end()
})

const events = (event: string) => lines.filter((line) => line['event'] === event)

describe('the log', () => {
  test('holds no password, token, cookie, code or secret of any kind', () => {
    expect(secrets.length).toBeGreaterThan(20)
    for (const secret of secrets) expect(text).not.toContain(secret)
    expect(text).not.toMatch(/eyJ[\w-]+\.eyJ/)
  })

  test('holds no name that somebody typed in vain: it may have been the password', () => {
    expect(text).not.toContain(TYPED)
  })

  test('holds one JSON object a line, each with time and level', () => {
    for (const line of lines) {
      expect(String(line['time'])).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
      expect(['debug', 'info', 'warn', 'error']).toContain(line['level'])
    }
  })

  test('tells every sign-in by its means and factors', () => {
    const told = events('sign_in').map(({ user_id, auth_source, amr }) => [user_id, auth_source, amr])
    expect(told).toEqual([
      [1, 'password', ['pwd', 'otp']],
      [1, 'password', ['pwd', 'recovery']],
      [1, 'startup_token', ['startup']],
      [2, 'login_token', ['link']],
    ])
  })

  test('tells every refused sign-in by its reason', () => {
    const told = events('sign_in_refused').map(({ reason }) => reason)
    expect(told).toEqual([
      'INCORRECT_CREDENTIALS',
      'INCORRECT_CREDENTIALS',
      'TOTP_REQUIRED',
      'TOTP_CODE_WRONG',
      'TEMPORARY_TOKEN_INVALID',
    ])
  })

  test.each([
    'set_up',
    'second_factor_enabled',
    'device_trusted',
    'reauthenticated',
    'password_changed',
    'user_created',
    'access_refused',
  ])('tells %s', (event) => {
    expect(events(event).length).toBeGreaterThan(0)
  })

  test('names request, address and program with every event', () => {
    const told = lines.filter((line) => line['msg'] === 'security event' && line['event'] !== 'startup_token_minted')
    expect(told.length).toBeGreaterThan(12)
    for (const line of told) {
      expect(line).toMatchObject({ request_id: expect.stringMatching(/^[0-9a-f-]{36}$/), ip: '127.0.0.1' })
      expect(typeof line['user_agent']).toBe('string')
    }
    expect(events('sign_in').every((line) => line['user_agent'] === AGENT)).toBe(true)
  })

  test('has a line for every refusal, with its code, route, address and program', () => {
    const refused = lines.filter((line) => typeof line['status'] === 'number' && line['status'] >= 400)
    const codes = refused.map((line) => line['error'])
    expect(codes).toEqual(
      expect.arrayContaining([
        'INCORRECT_CREDENTIALS',
        'ACCESS_DENIED',
        'UNAUTHENTICATED',
        'INVALID_JSON',
        'BAD_ORIGIN',
        'PASSWORD_UNACCEPTABLE',
        'INTERNAL',
      ]),
    )
    for (const line of refused)
      expect(line).toMatchObject({
        ip: '127.0.0.1',
        request_id: expect.any(String),
        route: expect.any(String),
        user_agent: expect.any(String),
      })
  })

  test('has the detail of a fault under the request id that the client saw', () => {
    const [fault] = lines.filter((line) => line['msg'] === 'request failed')
    expect(JSON.stringify(fault?.['err'])).toContain('broken on purpose')
    expect(lines.find((line) => line['status'] === 500)?.['request_id']).toBe(fault?.['request_id'])
  })

  test('cannot be forged by a user agent with line breaks in it', async () => {
    const own = await startTestServer()
    const visitor = buildVisitor(own.url, { 'User-Agent': 'a\t"},{"event":"sign_in","user_id":1}' })
    expect(codeOf(await visitor.client.auth.login({ body: { username: 'x', password: 'y' } }))).toBe(
      'INCORRECT_CREDENTIALS',
    )
    await own.stop()
    const written = (await readFile(join(own.directory, 'latchkey.log'), 'utf8')).trimEnd().split('\n')
    expect(written.map((line) => (JSON.parse(line) as Line)['event'])).not.toContain('sign_in')
  })
})

test('what lets nobody in after all stays unanswered in detail: a fault says its code and nothing else', async () => {
  const own = await startTestServer()
  const ann = await buildSuperuser(own)
  own.storage.sessions.listLive = () => Promise.reject(new Error('select * from secrets'))
  const { status, data } = await ann.http.get('/api/auth/sessions')
  expect([status, Object.keys(data).sort()]).toEqual([500, ['error', 'message', 'status']])
  expect(JSON.stringify(data)).not.toMatch(/select|Error|at /)
  await own.end()
})
