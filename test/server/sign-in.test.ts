import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

let server: TestServer
let admin: Visitor
beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
})
afterAll(() => server.end())

const login = (username: string, password: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { username, password } })

describe('the right password', () => {
  test('signs in with token and cookie, and says who it is', async () => {
    const visitor = buildVisitor(server.url)
    const answer = await visitor.http.post('/api/auth/login', ADMIN)
    expect(answer.data).toEqual({
      status: 'ok',
      data: {
        token: visitor.cookies.get('latchkey_session'),
        user_id: 1,
        username: 'ann',
        require_password_change: false,
        change_pwd_hint: false,
        password_upgrade_required: false,
      },
    })
    const [cookie = '', ...others] = answer.headers['set-cookie'] ?? []
    expect(others).toEqual([])
    expect(cookie.replace(/=[^;]+/, '=…')).toBe('latchkey_session=…; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax')
  })

  test.each([' ann ', 'ANN', '\tAnn\n'])('finds the name as typed: %j', async (name) => {
    expect(codeOf(await login(name, ADMIN.password))).toBe('ok')
  })

  test.each(['correct horse staple ', ' correct horse staple', 'Correct horse staple', 'correct horse stapl', ''])(
    'is not nearly right: %j',
    async (nearly) => {
      expect(codeOf(await login('ann', nearly))).not.toBe('ok')
      await login('ann', ADMIN.password)
    },
  )

  test.each([
    ['a sentence of 64 characters', 'the quick brown fox jumps over a lazy dog while it rains in May.'],
    ['emoji', '🔑🦊🌧🧵🪁🎻🧊🫖'],
    ['many scripts', 'Ключ от 门 öffnet שער'],
    ['128 code points of four bytes', '😀😁😂🤣😃😄😅😆'.repeat(16)],
    ['quotes and backslashes', `'"\\;--<b>&amp;${'${x}'} %00 drop`],
  ])('may be %s and is compared to its last character', async (what, password) => {
    const username = `pw-${[...what].length}`
    await createUser(admin, { username, password })
    expect(codeOf(await login(username, password))).toBe('ok')
    expect(codeOf(await login(username, [...password].slice(0, -1).join('')))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await login(username, `${[...password].slice(0, -1).join('')}x`))).toBe('INCORRECT_CREDENTIALS')
  })

  test('may be typed composed or decomposed: it is the same word', async () => {
    await createUser(admin, { username: 'norm', password: 'Amélie Ångström'.normalize('NFD') })
    expect(codeOf(await login('norm', 'Amélie Ångström'.normalize('NFC')))).toBe('ok')
    expect(codeOf(await login('norm', 'Amélie Ångström'.normalize('NFD')))).toBe('ok')
  })

  test('that is shorter than the rule of today is met with a hint', async () => {
    const upgrade = await startTestServer()
    await buildSuperuser(upgrade)
    await upgrade.storage.settings.change({ min_password_length: 30 }, server.clock())
    const stricter = await upgrade.restart()
    expect(dataOf(await buildVisitor(stricter.url).client.auth.login({ body: ADMIN })).password_upgrade_required).toBe(
      true,
    )
    await stricter.end()
  })
})

describe('what is wrong', () => {
  test('with name, password or both is told in one text', async () => {
    await createUser(admin, { username: 'off', password: 'wooden quiet lamp', enabled: false })
    await createUser(admin, { username: 'nopassword' })
    const answers = await Promise.all(
      ['ann', 'nobody', 'off', 'nopassword', '../../etc', '%', "' or 1=1 --"].map((username) =>
        buildVisitor(server.url).http.post('/api/auth/login', { username, password: 'not this one' }),
      ),
    )
    const texts = answers.map(({ status, data }) => JSON.stringify([status, data]))
    expect(new Set(texts).size).toBe(1)
    expect(answers[0]?.data.error).toBe('INCORRECT_CREDENTIALS')
    expect(answers.flatMap(({ headers }) => headers['set-cookie'] ?? [])).toEqual([])
  })

  test('is the account: told only to who proved the password', async () => {
    expect(codeOf(await login('off', 'wooden quiet lamp'))).toBe('ACCOUNT_DISABLED')
    expect(codeOf(await login('off', 'wooden quiet lamq'))).toBe('INCORRECT_CREDENTIALS')
  })

  test.each([
    { login_type: 'temporary_token', username: 'ann', password: ADMIN.password },
    { login_type: 'password', temporary_token: 'x' },
    { login_type: 'none' },
    { username: ['ann'], password: ADMIN.password },
    { username: 'ann', password: { length: 20 } },
    { username: 'ann', password: ADMIN.password, enabled: true },
    { username: 'ann', password: 'x'.repeat(1025) },
    { username: 'a'.repeat(65), password: 'x' },
  ])('is the form: %j', async (body) => {
    const { data } = await buildVisitor(server.url).http.post('/api/auth/login', body)
    expect(data.error).toBe('INVALID_JSON_SCHEMA')
  })

  test('takes as long for a name that exists as for one that does not', async () => {
    const quiet = await startTestServer({ config: { trustedProxies: ['127.0.0.1'], insecureHttp: true } })
    await buildSuperuser(quiet)
    const took: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] }
    for (let round = 0; round < 60; round += 1) {
      for (const kind of ['known', 'unknown'] as const) {
        const visitor = buildVisitor(quiet.url, { 'X-Forwarded-For': `10.0.${kind === 'known' ? 1 : 2}.${round}` })
        const username = kind === 'known' ? 'ann' : `nobody-${round}`
        const started = performance.now()
        await visitor.client.auth.login({ body: { username, password: 'wrong one' } })
        took[kind].push(performance.now() - started)
      }
    }
    await quiet.end()
    const [known, unknown] = [medianOf(took.known), medianOf(took.unknown)]
    expect(Math.max(known, unknown) / Math.min(known, unknown)).toBeLessThan(1.3)
  })
})

describe('a browser that signs in again', () => {
  test('gets a new session and loses the old one, so that none can be planted', async () => {
    const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    const planted = visitor.cookies.get('latchkey_session') ?? ''
    await login('ann', ADMIN.password, visitor)
    expect(visitor.cookies.get('latchkey_session')).not.toBe(planted)
    const old = buildVisitor(server.url, { Cookie: `latchkey_session=${planted}` })
    expect(codeOf(await old.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('keeps its session when the sign-in is refused', async () => {
    const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    await login('ann', 'wrong', visitor)
    expect(codeOf(await visitor.client.auth.me())).toBe('ok')
    await login('ann', ADMIN.password)
  })

  test('may send a dead or foreign cookie without harm', async () => {
    const visitor = buildVisitor(server.url, { Cookie: 'latchkey_session=planted' })
    expect(codeOf(await login('ann', ADMIN.password, visitor))).toBe('ok')
  })
})

describe('signing out', () => {
  test('ends the session on the server, removes the cookie and may be repeated', async () => {
    const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    const cookie = `latchkey_session=${visitor.cookies.get('latchkey_session')}`
    const answer = await visitor.http.post('/api/auth/logout')
    expect([answer.status, answer.data]).toEqual([200, { status: 'ok', data: {} }])
    expect(answer.headers['set-cookie']).toEqual(['latchkey_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax'])
    expect(codeOf(await buildVisitor(server.url, { Cookie: cookie }).client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await buildVisitor(server.url, { Cookie: cookie }).client.auth.logout())).toBe('ok')
    expect(codeOf(await buildVisitor(server.url).client.auth.logout())).toBe('ok')
  })

  test('leaves the other sessions of the same person alone', async () => {
    const [here, there] = await Promise.all([login2(), login2()])
    await here.client.auth.logout()
    expect(codeOf(await there.client.auth.me())).toBe('ok')
  })
})

const login2 = () => buildSignedIn(server, ADMIN.username, ADMIN.password)

function medianOf(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
