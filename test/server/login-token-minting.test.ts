import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let admin: Visitor
let id: number
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, { username: 'bert', display_name: 'Bert B.' })
})
afterEach(() => server.end())

type Body = Parameters<Visitor['client']['loginTokens']['create']>[0]['body']
const mint = (body: Partial<Body> = {}, by = admin) =>
  by.client.loginTokens.create({ body: { login_user_id: id, expires_in: 300, ...body } })
const redeem = (login_token: string) =>
  buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })

describe('minting a login token', () => {
  test('answers the row, the secret once and a link that keeps it in the fragment', async () => {
    const minted = dataOf(await mint({ reason: ' new phone ', redirect_to: '/account' }))
    expect(minted).toMatchObject({
      user_id: 1,
      user: { user_id: 1, username: 'ann', display_name: null },
      login_user_id: id,
      login_user: { user_id: id, username: 'bert', display_name: 'Bert B.' },
      status: 'active',
      reason: 'new phone',
      redirect_to: '/account',
      created_at: new Date(server.clock()).toISOString(),
      expires_at: new Date(server.clock() + 300_000).toISOString(),
      used_at: null,
      used_ip: null,
      deleted_at: null,
    })
    expect(minted.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Buffer.from(minted.token, 'base64url')).toHaveLength(32)
    expect(minted.login_url).toBe(`${server.url}/login/token#${minted.token}`)
    expect(dataOf(await redeem(minted.token))).toMatchObject({ username: 'bert', redirect_to: '/account' })
    expect(codeOf(await redeem(minted.token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('ends when it was told to', async () => {
    const { token } = dataOf(await mint({ expires_in: 1 }))
    server.clock.advance(1000)
    expect(codeOf(await redeem(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test.each([
    { expires_in: 0 },
    { expires_in: 86_401 },
    { expires_in: 1.5 },
    { expires_in: '60' },
    { expires_in: null },
    { login_user_id: '2' },
    { login_user_id: 0 },
    { login_user_id: null },
    { reason: 'x'.repeat(201) },
    { reason: 7 },
    { token: 'mine' },
  ])('refuses %j', async (body) => {
    const { status, data } = await admin.http.post('/api/administration/users/login-tokens', {
      login_user_id: id,
      expires_in: 300,
      ...body,
    })
    expect([status, data.error]).toEqual([400, 'INVALID_JSON_SCHEMA'])
  })

  test('wants a recent proof of who asks', async () => {
    server.clock.advance(15 * 60_000 + 1)
    expect(codeOf(await mint())).toBe('REAUTH_REQUIRED')
  })

  test('is not for the session of a startup token', async () => {
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(codeOf(await mint({}, visitor))).toBe('ACCESS_DENIED')
  })

  test('makes at most ten that can still be redeemed, however many are asked for at once', async () => {
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => mint()))
    expect(outcomes.map(codeOf).filter((code) => code === 'ok')).toHaveLength(10)
    expect(new Set(outcomes.map(codeOf))).toEqual(new Set(['ok', 'TOO_MANY_ACTIVE']))
    server.clock.advance(300_000)
    expect(codeOf(await mint())).toBe('ok')
  })

  test('is for its target alone: ten of one leave room for another', async () => {
    for (let at = 0; at < 10; at += 1) dataOf(await mint())
    expect(codeOf(await mint({ login_user_id: 1 }))).toBe('ok')
  })

  test('names the address that browsers reach us by, where one is configured', async () => {
    const { port } = new URL(server.url)
    await server.end()
    server = await startTestServer({ config: { port: Number(port), publicUrl: 'https://latch.example.org/' } })
    admin = await buildSuperuser({ ...server, url: `http://127.0.0.1:${port}` })
    const { login_url, token } = dataOf(await mint({ login_user_id: 1 }))
    expect(login_url).toBe(`https://latch.example.org/login/token#${token}`)
  })

  test('lets a helper do it whom he manages', async () => {
    const helper = await createUser(admin, { username: 'helper', password: PASSWORD, permissions: ['LOGIN_TOKENS'] })
    dataOf(await admin.client.users.edit({ params: { id: String(id) }, body: { manager_id: helper } }))
    expect(codeOf(await mint({}, await buildSignedIn(server, 'helper', PASSWORD)))).toBe('ok')
  })
})

describe('where a login token may send people', () => {
  beforeEach(async () => {
    const redirect_origins = ['https://wiki.example.org', 'http://nas.local:8080']
    dataOf(await admin.client.settings.change({ body: { redirect_origins } }))
  })

  test.each([
    '/',
    '/account?tab=2#top',
    'https://wiki.example.org/page?x=1',
    'https://wiki.example.org:443/',
    'http://nas.local:8080',
  ])('%j is allowed', async (redirect_to) => {
    expect(codeOf(await mint({ redirect_to }))).toBe('ok')
  })

  test.each([
    '',
    'account',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    ' /account',
    '/.//evil.example',
    '/a/..//evil.example',
    '/\u200b/evil.example',
    'https:evil.example',
    'https://evil.example',
    'https://wiki.example.org.evil.example',
    'https://wiki.example.org@evil.example',
    'https://user@wiki.example.org/',
    'https://wiki.example.org:444/',
    'http://wiki.example.org/',
    'http://nas.local/',
    'javascript:alert(1)',
    'JaVaScRiPt:alert(1)',
    'data:text/html,x',
    'blob:https://wiki.example.org/1',
    'latchkey://x',
  ])('%j is refused', async (redirect_to) => {
    expect(codeOf(await mint({ redirect_to }))).toBe('REDIRECT_NOT_ALLOWED')
  })
})

describe('a redirect that is made up', () => {
  const LISTED = 'https://wiki.example.org:8443'
  const wrong = [
    (path: string) => `//wiki.example.org:8443${path}`,
    (path: string) => `/\\wiki.example.org${path}`,
    (path: string) => `\\\\wiki.example.org${path}`,
    (path: string) => `/\t/evil.example${path}`,
    (path: string) => `https:\\\\wiki.example.org:8443${path}`,
    (path: string) => `https://wiki.example.org:8443\\@evil.example${path}`,
    (path: string) => `https://wiki.example.org.:8443${path}`,
    (path: string) => `https://wiki.example.org:8444${path}`,
    (path: string) => `https://wiki.example.org${path}`,
    (path: string) => `http://wiki.example.org:8443${path}`,
    (path: string) => `https://ann@wiki.example.org:8443${path}`,
    (path: string) => `https://wiki.example.org:8443@evil.example${path}`,
    (path: string) => `https://evil.example/https://wiki.example.org:8443${path}`,
    (path: string) => `https://evil.example#@wiki.example.org:8443${path}`,
    (path: string) => `javascript:location='https://wiki.example.org:8443${path}'`,
    (path: string) => `JAVASCRIPT:alert(1)//${path}`,
    (path: string) => `data:text/html,${path}`,
    (path: string) => `wss://wiki.example.org:8443${path}`,
    (path: string) => `ftp://wiki.example.org:8443${path}`,
    (path: string) => `https://xn--wiki.example.org:8443${path}`,
    (path: string) => `https://wiki.example.org:8443/${path}\u0000`,
    (path: string) => `https://wiki.example.org:8443/\r\nSet-Cookie: x=1${path}`,
    (path: string) => `\u202ehttps://wiki.example.org:8443${path}`,
    (path: string) => `wiki.example.org:8443${path}`,
  ]
  const paths = ['', '/', '/back', '/back?to=https://wiki.example.org:8443', '/%2f%2fevil.example', '/#x']

  test('is taken only where it leads to an origin on the list or a path of ours', async () => {
    dataOf(await admin.client.settings.change({ body: { redirect_origins: [LISTED] } }))
    const mint = async (redirect_to: string) =>
      codeOf(await admin.client.loginTokens.create({ body: { login_user_id: id, expires_in: 1, redirect_to } }))
    for (const path of paths) {
      for (const compose of wrong) {
        const made = compose(path)
        expect(['REDIRECT_NOT_ALLOWED', 'INVALID_JSON_SCHEMA'], made).toContain(await mint(made))
      }
      server.clock.advance(1000)
      expect(await mint(`${LISTED}${path}`), path).toBe('ok')
      if (path.startsWith('/')) expect(await mint(path), path).toBe('ok')
    }
  })
})
