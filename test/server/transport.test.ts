import { networkInterfaces } from 'node:os'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, dataOf, viaProxy } from '../helpers/visitor.ts'

const WRONG = { username: 'nobody', password: 'wrong' }

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ config: { trustedProxies: ['127.0.0.1', '10.20.0.0/16', 'fd00::/8'] } })
  await buildSuperuser(server)
})
afterAll(() => server.end())

const plainFrom = (ip: string, headers: Record<string, string> = {}) =>
  buildVisitor(server.url, { 'X-Forwarded-For': ip, ...headers })
/** The address that the server takes a request's sender for: it stands in the list of sessions. */
async function addressOf(headers: Record<string, string>): Promise<string | undefined> {
  const visitor = buildVisitor(server.url, { ...viaProxy(server.url, ''), ...headers })
  dataOf(await visitor.client.auth.login({ body: ADMIN }))
  return dataOf(await visitor.client.auth.sessions()).sessions.find(({ current }) => current)?.ip
}

describe('plain HTTP from another machine', () => {
  test('gets nothing from the interface, not even a look', async () => {
    const { http } = plainFrom('192.168.1.7')
    for (const path of ['/api/health', '/api/auth/setup-status', '/api/openapi.json', '/api/nothing'])
      expect((await http.get(path)).data.error).toBe('INSECURE_TRANSPORT')
    const login = await http.post('/api/auth/login', ADMIN)
    expect([login.status, login.data.error, login.headers['set-cookie']]).toEqual([
      403,
      'INSECURE_TRANSPORT',
      undefined,
    ])
  })

  test.each([
    ['en', 'not encrypted'],
    ['de-DE', 'nicht verschlüsselt'],
    ['ru', 'не зашифровано'],
    ['zh-CN', '未加密'],
    ['fr', 'not encrypted'],
  ])('gets a page that explains it in %s, without scripts', async (language, words) => {
    for (const path of ['/', '/login', '/assets/x.js']) {
      const { status, data, headers } = await plainFrom('192.168.1.7', { 'Accept-Language': language }).http.get(path)
      expect([status, headers['content-type']]).toEqual([403, 'text/html; charset=utf-8'])
      expect(data).toContain(words)
      expect(data).not.toContain('<script')
      expect(headers['content-security-policy']).toContain("default-src 'none'")
    }
  })

  test('is allowed where the person who started the server said so, and shown as insecure', async () => {
    const open = await startTestServer({ config: { insecureHttp: true, trustedProxies: ['127.0.0.1'] } })
    await buildSuperuser(open)
    const visitor = buildVisitor(open.url, { 'X-Forwarded-For': '192.168.1.7' })
    expect(codeOf(await visitor.client.auth.login({ body: ADMIN }))).toBe('ok')
    expect([...visitor.cookies.keys()]).toEqual(['latchkey_session'])
    expect(dataOf(await visitor.client.auth.setupStatus()).insecure_transport).toBe(true)
    expect(dataOf(await buildVisitor(open.url).client.auth.setupStatus()).insecure_transport).toBe(false)
    await open.end()
  })

  test('is explained under the LAN address that was typed, not refused as foreign', async () => {
    const lan = Object.values(networkInterfaces())
      .flat()
      .find((address) => address?.family === 'IPv4' && !address.internal)?.address
    if (lan === undefined) return
    const open = await startTestServer({ config: { host: '0.0.0.0' } })
    const { status, data } = await buildVisitor(`http://${lan}:${new URL(open.url).port}`).http.get('/')
    expect(status).toBe(403)
    expect(data).toContain('not encrypted')
    await open.end()
  })
})

describe('TLS at a proxy', () => {
  test('gives cookies that only https carries, bound to this host', async () => {
    const visitor = buildVisitor(server.url, viaProxy(server.url, '192.168.1.7'))
    const answer = await visitor.http.post('/api/auth/login', ADMIN)
    expect(answer.headers['set-cookie']?.map((line) => line.replace(/=[^;]+/, '=…'))).toEqual([
      '__Host-latchkey_session=…; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure',
    ])
    expect(codeOf(await visitor.client.auth.me())).toBe('ok')
    expect(dataOf(await visitor.client.auth.setupStatus()).insecure_transport).toBe(false)
  })

  test('does not take the cookie of plain http, which a neighbour could have planted, and the other way round', async () => {
    const token = (await buildVisitor(server.url).http.post('/api/auth/login', ADMIN)).data.data.token
    const tossed = buildVisitor(server.url, {
      ...viaProxy(server.url, '192.168.1.7'),
      Cookie: `latchkey_session=${token}`,
    })
    expect(codeOf(await tossed.client.auth.me())).toBe('UNAUTHENTICATED')
    const plain = buildVisitor(server.url, { Cookie: `__Host-latchkey_session=${token}` })
    expect(codeOf(await plain.client.auth.me())).toBe('UNAUTHENTICATED')
  })

  test("serves the proxy's own machine as well", async () => {
    const visitor = buildVisitor(server.url, viaProxy(server.url, '127.0.0.1'))
    expect(codeOf(await visitor.client.auth.login({ body: ADMIN }))).toBe('ok')
    expect([...visitor.cookies.keys()]).toEqual(['__Host-latchkey_session'])
  })
})

describe('the address of a client', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['1.1.1.1, 10.0.0.1', '10.0.0.1'],
    ['127.0.0.1, 10.0.0.1', '10.0.0.1'],
    ['10.0.0.1, 10.20.3.4', '10.0.0.1'],
    ['10.0.0.1,10.20.3.4 , 127.0.0.1', '10.0.0.1'],
    ['10.0.0.1, fd00::5', '10.0.0.1'],
    ['2001:db8::7', '2001:db8::7'],
    ['10.0.0.1:51234', '10.0.0.1'],
    ['[2001:db8::7]:443', '2001:db8::7'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
  ])('is the right-most that is no proxy of ours: %s', async (forwarded, ip) => {
    expect(await addressOf({ 'X-Forwarded-For': forwarded })).toBe(ip)
  })

  test('that cannot be read is nobody at this machine, and nobody whom the client named', async () => {
    for (const forwarded of ['127.0.0.1, unknown', 'unknown', '10.0.0.1, ???', '127.0.0.1, 999.1.1.1']) {
      const visitor = plainFrom(forwarded)
      expect((await visitor.http.get('/api/health')).data.error).toBe('INSECURE_TRANSPORT')
    }
  })

  test('is the peer itself where no proxy is trusted, whatever headers say', async () => {
    const own = await startTestServer()
    await buildSuperuser(own)
    const headers = {
      'X-Forwarded-For': '10.0.0.1',
      'X-Real-IP': '10.0.0.1',
      Forwarded: 'for=10.0.0.1',
      'X-Forwarded-Proto': 'https',
    }
    const visitor = buildVisitor(own.url, headers)
    dataOf(await visitor.client.auth.login({ body: ADMIN }))
    expect(dataOf(await visitor.client.auth.sessions()).sessions[0]?.ip).toBe('127.0.0.1')
    expect([...visitor.cookies.keys()]).toEqual(['latchkey_session'])
    await own.end()
  })

  test('cannot be made up to escape the limits', async () => {
    const codes = []
    for (let at = 0; at < 4; at += 1) {
      const headers = viaProxy(server.url, `${at}.${at}.${at}.${at}, 10.66.0.1`)
      codes.push(codeOf(await buildVisitor(server.url, headers).client.auth.login({ body: WRONG })))
    }
    expect(codes.at(-1)).toBe('TOO_MANY_ATTEMPTS')
  })
})
