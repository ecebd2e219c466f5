import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createSecret } from '../../server/domain/one-time-secret.ts'
import { randomBytes } from 'node:crypto'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  ADMIN,
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  viaProxy,
  type Visitor,
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'

const PASSWORD = 'wooden quiet lamp'
const TEMPORARY = 'Temp-4711-hearth'

let server: TestServer
let admin: Visitor
let id: number
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, { username: 'bert', display_name: 'Bert B.', password: PASSWORD })
})
afterEach(() => server.end())

const redeem = (login_token: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { login_type: 'login_token', login_token } })
const show = (login_token: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.showLoginToken({ body: { login_token } })
const events = async (event: string) => {
  const { items } = await server.storage.audit.list({ event }, { limit: 50 })
  return items.map(({ actor_id, target_id, detail }) => ({ actor_id, target_id, detail: JSON.parse(detail) }))
}

describe('showing whom a login token would sign in', () => {
  test('tells the name and the end, as often as it is asked, and uses nothing up', async () => {
    const token = await makeLoginToken(server, id)
    const expires_at = new Date(server.clock() + 60_000).toISOString()
    for (let times = 0; times < 10; times++) {
      expect(dataOf(await show(` ${token}\n`))).toEqual({
        login_user: { username: 'bert', display_name: 'Bert B.' },
        expires_at,
      })
    }
    expect(codeOf(await redeem(token))).toBe('ok')
    expect(codeOf(await show(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test.each([
    'used',
    'revoked',
    'expired',
    'unknown',
    'of a disabled person',
    'of a deleted person',
    'of a disabled maker',
    'without the permission of its maker',
    'for one no longer managed by its maker',
  ])('and redeeming it are refused alike for one that is %s', async (fault) => {
    const maker = await createUser(admin, { username: 'maker', permissions: ['LOGIN_TOKENS'] })
    const edit = (user_id: number, body: Parameters<typeof admin.client.users.edit>[0]['body'] = { enabled: false }) =>
      admin.client.users.edit({ params: { id: String(user_id) }, body })
    dataOf(await edit(id, { manager_id: maker }))
    const token = await makeLoginToken(server, id, fault.endsWith('maker') ? { user_id: maker } : {})
    expect(codeOf(await show(token))).toBe('ok')
    if (fault === 'used') dataOf(await redeem(token))
    if (fault === 'expired') server.clock.advance(60_000)
    if (fault === 'of a disabled person') dataOf(await edit(id))
    if (fault === 'of a disabled maker') dataOf(await edit(maker))
    if (fault.startsWith('without')) dataOf(await edit(maker, { permissions: ['USER_CONFIG'] }))
    if (fault.startsWith('for one')) dataOf(await edit(id, { manager_id: null }))
    if (fault === 'of a deleted person') dataOf(await admin.client.users.remove({ params: { id: String(id) } }))
    if (fault === 'revoked') {
      const { items } = dataOf(await admin.client.loginTokens.list())
      dataOf(await admin.client.loginTokens.revoke({ params: { uuid: items[0]?.uuid ?? '' } }))
    }
    const tried = fault === 'unknown' ? createSecret(randomBytes) : token
    const visitor = buildVisitor(server.url)
    const body = { login_token: tried }
    const answers = [
      await visitor.http.post('/api/auth/login-token', body),
      await visitor.http.post('/api/auth/login', { login_type: 'login_token', ...body }),
    ]
    for (const { status, data } of answers) {
      expect(status).toBe(401)
      expect(data).toEqual({
        status: 'error',
        error: 'LOGIN_TOKEN_INVALID',
        message: answers[0]?.data.message,
      })
    }
    expect(visitor.cookies.size).toBe(0)
  })

  test.each([
    {},
    { login_token: '' },
    { login_token: 5 },
    { login_token: 'x'.repeat(257) },
    { login_token: 'x', code: '1' },
  ])('refuses the body %j', async (body) => {
    const { data } = await buildVisitor(server.url).http.post('/api/auth/login-token', body)
    expect(data.error).toBe('INVALID_JSON_SCHEMA')
  })

  test('counts what is guessed there against the address, like a sign-in', async () => {
    await server.end()
    server = await startTestServer({ config: { trustedProxies: ['127.0.0.1'] } })
    const far = buildVisitor(server.url, viaProxy(server.url, '203.0.113.9'))
    const codes = []
    for (let times = 0; times < 31; times++) codes.push(codeOf(await show('guess', far)))
    expect(codes.at(0)).toBe('LOGIN_TOKEN_INVALID')
    expect(codes.at(-1)).toBe('TOO_MANY_ATTEMPTS')
    expect(codeOf(await redeem('guess', far))).toBe('TOO_MANY_ATTEMPTS')
  })
})

describe('redeeming a login token', () => {
  test('is an event of its own, once, with the token, its maker and whom it signed in', async () => {
    const { uuid, token } = dataOf(
      await admin.client.loginTokens.create({ body: { login_user_id: id, expires_in: 60 } }),
    )
    await Promise.all(Array.from({ length: 20 }, () => redeem(token)))
    const used = await events('login_token_used')
    expect(used).toHaveLength(1)
    expect(JSON.stringify(used)).toContain(uuid)
    expect(await events('sign_in_refused')).toHaveLength(19)
  })

  test('leads to another origin only while that is allowed, and signs in all the same', async () => {
    const allow = async (...redirect_origins: string[]) =>
      dataOf(await admin.client.settings.change({ body: { redirect_origins } }))
    const redirect_to = 'https://wiki.example.org/start'
    await allow('https://wiki.example.org')
    const tokens = [
      await makeLoginToken(server, id, { redirect_to }),
      await makeLoginToken(server, id, { redirect_to }),
    ]
    const inside = await makeLoginToken(server, id, { redirect_to: '/settings' })
    const redirectOf = async (token = '') => dataOf(await redeem(token)).redirect_to
    expect(await redirectOf(tokens[0])).toBe(redirect_to)
    await allow('https://other.example.org')
    expect(await redirectOf(tokens[1])).toBeUndefined()
    expect(await redirectOf(inside)).toBe('/settings')
  })

  test('is done by POST to the interface and by nothing else', async () => {
    const token = await makeLoginToken(server, id)
    const visitor = buildVisitor(server.url)
    for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
      const body = { login_type: 'login_token', login_token: token }
      await visitor.http.request({ method, url: '/api/auth/login', params: body, data: body })
      await visitor.http.request({ method, url: `/login/token/${token}`, data: body })
    }
    await visitor.http.post(`/login/token/${token}`, {})
    expect(visitor.cookies.size).toBe(0)
    expect(codeOf(await redeem(token))).toBe('ok')
  })

  test('cannot be done from the page of somebody else', async () => {
    const token = await makeLoginToken(server, id)
    const elsewhere = buildVisitor(server.url, { Origin: 'https://evil.example' })
    await admin.client.auth.me()
    expect(codeOf(await redeem(token, elsewhere))).toBe('BAD_ORIGIN')
    expect(codeOf(await redeem(token))).toBe('ok')
  })

  test('leads a person with a temporary password to the forced change, even one that has run out', async () => {
    const body = { password: TEMPORARY, expires_hours: 1 }
    dataOf(await admin.client.users.resetPassword({ params: { id: String(id) }, body }))
    const visitor = buildVisitor(server.url)
    const signedIn = dataOf(await redeem(await makeLoginToken(server, id), visitor))
    expect(signedIn.require_password_change).toBe(true)
    expect(codeOf(await visitor.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: 'tall grass at noon' } }))).toBe('ok')
    expect(codeOf(await visitor.client.auth.me())).toBe('ok')
  })

  test('replaces the session that the browser held', async () => {
    const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    const before = visitor.cookies.get('latchkey_session')
    dataOf(await redeem(await makeLoginToken(server, id), visitor))
    expect(dataOf(await visitor.client.auth.me()).username).toBe('bert')
    const old = buildVisitor(server.url, { Cookie: `latchkey_session=${before}` })
    expect(codeOf(await old.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('ends with whatever ends the access of its person', async () => {
    const bert = await buildSignedIn(server, 'bert', PASSWORD)
    const first = await makeLoginToken(server, id)
    dataOf(await bert.client.users.editMe({ body: { password: 'tall grass at noon', current_password: PASSWORD } }))
    expect(codeOf(await redeem(first))).toBe('LOGIN_TOKEN_INVALID')
    const second = await makeLoginToken(server, id)
    dataOf(await bert.client.users.invalidateTokens())
    expect(codeOf(await redeem(second))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('spends no token without beginning a session: a crash between them loses both or neither', async () => {
    const token = await makeLoginToken(server, id)
    const { consume } = server.storage.loginTokens
    server.storage.loginTokens.consume = () => Promise.reject(new Error('broken on purpose'))
    expect(codeOf(await redeem(token))).toBe('INTERNAL')
    server.storage.loginTokens.consume = consume
    expect(codeOf(await redeem(token))).toBe('ok')
  })
})

describe('a token in the path', () => {
  test('is left active by ten GETs and ten HEADs, which say neither where they were nor stay in a cache', async () => {
    const token = await makeLoginToken(server, id)
    const { http } = buildVisitor(server.url, { Accept: 'text/html' })
    for (let times = 0; times < 10; times++) {
      for (const method of ['GET', 'HEAD']) {
        const { headers, data } = await http.request({ method, url: `/login/token/${token}` })
        expect(headers['cache-control']).toContain('no-store')
        expect(headers['referrer-policy']).toBe('no-referrer')
        expect(String(data)).not.toContain(token)
      }
    }
    expect(codeOf(await redeem(token))).toBe('ok')
  })
})

describe('the secret of a login token', () => {
  test('is in its one answer, and in no file that the server writes: no log, at any level, and no database', async () => {
    const secrets: string[] = []
    for (let times = 0; times < 3; times++) {
      const { token } = dataOf(await admin.client.loginTokens.create({ body: { login_user_id: id, expires_in: 60 } }))
      await buildVisitor(server.url).http.get(`/login/token/${token}`)
      await buildVisitor(server.url).http.get(`/login/token/${token}?x=${token}`, { headers: { Referer: `/${token}` } })
      await show(token)
      if (times === 0) await redeem(token)
      await redeem(`${token}x`)
      secrets.push(token)
    }
    await server.stop()
    const names = await readdir(server.directory, { recursive: true, withFileTypes: true })
    const files = names.filter((entry) => entry.isFile())
    expect(files.map(({ name }) => name)).toContain('latchkey.log')
    for (const { parentPath, name } of files) {
      const bytes = await readFile(join(parentPath, name))
      for (const secret of secrets) expect(bytes.includes(secret), name).toBe(false)
    }
    server = await startTestServer({ directory: server.directory, clock: server.clock })
  })
})
