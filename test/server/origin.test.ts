import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, type Visitor, viaProxy } from '../helpers/visitor.ts'
import { codeIn, sendRequest } from './raw.ts'

let server: TestServer
let admin: Visitor
let port: string
beforeAll(async () => {
  port = String(await freePort())
  const config = { port: Number(port), trustedProxies: ['127.0.0.1'], publicUrl: 'https://console.example.org' }
  server = { ...(await startTestServer({ config })), url: local() }
  admin = await buildSuperuser(server)
})
afterAll(() => server.end())

const get = async (host: string, path = '/api/health') =>
  codeIn((await sendRequest(local(), `GET ${path}`, [`Host: ${host}`])).body)
const local = () => `http://127.0.0.1:${port}`

describe('the Host', () => {
  test.each([
    '127.0.0.1',
    '127.0.0.1:PORT',
    '127.8.9.10:PORT',
    'localhost:PORT',
    'LOCALHOST',
    '[::1]:PORT',
    '[::1]',
    'localhost:1',
    'console.example.org',
    'Console.Example.ORG:443',
  ])('%s is ours', async (host) => {
    expect(await get(host.replace('PORT', port))).toBe('ok')
  })

  test.each([
    'evil.example',
    'evil.example:PORT',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'console.example.org.evil.example',
    'xconsole.example.org',
    '',
    'localhost:PORT:PORT',
    'localhost@evil.example',
    '127.0.0.1 evil',
    '[::1',
    '::1',
    '[::2]',
    '0x7f.1',
    '2130706433',
    '0.0.0.0',
    '10.0.0.1',
    'localhost.',
    'localhost:999999',
    'local_host',
  ])('%j is not: a page elsewhere may have bound its name to our address', async (host) => {
    for (const path of ['/api/health', '/', '/api/auth/setup-status']) {
      const { status } = await sendRequest(local(), `GET ${path}`, [`Host: ${host.replaceAll('PORT', port)}`])
      expect([400, 403]).toContain(status)
    }
  })

  test('is not overruled by a forwarded one', async () => {
    const { status } = await sendRequest(local(), 'GET /api/health', [
      'Host: evil.example',
      'X-Forwarded-Host: localhost',
      'Forwarded: host=localhost',
    ])
    expect(status).toBe(403)
  })
})

describe('an unsafe request', () => {
  const logout = (headers: Record<string, string>) =>
    admin.http.post('/api/auth/sessions/revoke-others', undefined, { headers })

  test.each([
    'http://evil.example',
    'null',
    'http://127.0.0.1:1',
    'https://127.0.0.1:PORT',
    'http://localhost:PORT',
    'http://127.0.0.1:PORT.evil.example',
    'file://',
    'http://127.0.0.1:PORT/',
  ])('from the page of another origin is refused, cookie or not: %s', async (origin) => {
    const Origin = origin.replace('PORT', port)
    expect((await logout({ Origin })).data.error).toBe('BAD_ORIGIN')
    const login = await buildVisitor(local(), { Origin }).http.post('/api/auth/login', ADMIN)
    expect(login.data.error).toBe('BAD_ORIGIN')
  })

  test('with a cookie must say where it comes from; one without need not', async () => {
    expect((await logout({ Origin: '' })).data.error).toBe('BAD_ORIGIN')
    expect((await buildVisitor(local(), { Origin: '' }).http.post('/api/auth/login', ADMIN)).status).toBe(200)
    const bearer = { Origin: '', Authorization: `Bearer ${admin.cookies.get('latchkey_session')}` }
    expect((await logout(bearer)).status).toBe(200)
  })

  test('that the browser calls cross-site is refused whatever its Origin', async () => {
    expect((await logout({ 'Sec-Fetch-Site': 'cross-site', Origin: local() })).data.error).toBe('BAD_ORIGIN')
    expect((await logout({ 'Sec-Fetch-Site': 'same-origin', Origin: local() })).status).toBe(200)
  })

  test('is judged by verb, not by what a header or field says it is', async () => {
    for (const headers of [{ 'X-HTTP-Method-Override': 'POST' }, { 'X-Method': 'DELETE' }]) {
      expect((await admin.http.get('/api/auth/logout?_method=POST', { headers })).status).toBe(405)
    }
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
  })

  test('of a plain form of a foreign page is refused before it is read', async () => {
    const headers = ['Origin: http://evil.example', 'Content-Type: text/plain', 'Content-Length: 60']
    const answer = await sendRequest(local(), 'POST /api/auth/login', headers, JSON.stringify({ ...ADMIN }).padEnd(60))
    expect([answer.status, codeIn(answer.body)]).toEqual([403, 'BAD_ORIGIN'])
  })

  test('behind a proxy with TLS must come from https', async () => {
    const over = (Origin: string) =>
      buildVisitor(local(), { ...viaProxy(local(), '10.0.0.1'), Host: 'console.example.org', Origin }).http.post(
        '/api/auth/login',
        ADMIN,
      )
    expect((await over('https://console.example.org')).status).toBe(200)
    expect((await over('http://console.example.org')).data.error).toBe('BAD_ORIGIN')
  })
})

test('browsers are told to stay with https under the public name over TLS, and under no other', async () => {
  const over = async (Host: string, headers = viaProxy(local(), '192.168.1.7')) =>
    (await buildVisitor(local(), { ...headers, Host }).http.get('/api/health')).headers['strict-transport-security']
  expect(await over('console.example.org')).toBe('max-age=31536000')
  expect(await over('Console.Example.org:443')).toBe('max-age=31536000')
  expect(await over('127.0.0.1')).toBeUndefined()
  expect(await over('console.example.org', {})).toBeUndefined()
})

test('no answer opens the interface to scripts of other origins', async () => {
  for (const path of ['/api/health', '/api/auth/login', '/']) {
    for (const method of ['GET', 'OPTIONS']) {
      const { headers } = await buildVisitor(local(), { Origin: 'http://evil.example' }).http.request({
        method,
        url: path,
      })
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([])
    }
  }
})

/** With a public address the server's `url` is that one, so the port is chosen here. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port: free } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return free
}
