import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { mobileProfile } from '../../server/http/mobile-profile.ts'
import type { TestServer } from '../helpers/server.ts'
import { buildSuperuser, buildVisitor, dataOf } from '../helpers/visitor.ts'
import { askOverTls, at, authorityOf, buildNetwork, portOf, startInNetwork } from './network.ts'

const HERE = '127.3.0.5'

let server: TestServer
let port: number
let ca: string
beforeAll(async () => {
  const config = { lan: true, trustedProxies: ['127.0.0.1'] }
  server = await startInNetwork(buildNetwork(at(HERE), at('127.3.0.6')), { config })
  port = portOf(server)
  ca = await authorityOf(server)
})
afterAll(() => server.end())

/** A browser on another machine, by plain HTTP under an address of the network. */
const elsewhere = (headers: Record<string, string> = {}) =>
  buildVisitor(server.url, { 'X-Forwarded-For': '192.168.1.7', Host: `${HERE}:${port}`, ...headers }).http

const AGENTS: [string, string][] = [
  ['windows', 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36'],
  ['macos', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15'],
  ['ios', 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148'],
  ['android', 'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36'],
  ['linux', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36'],
]

describe('the page of trust', () => {
  test.each([
    ['en', 'First compare the fingerprint'],
    ['de-DE', 'Vergleichen Sie zuerst den Fingerabdruck'],
    ['ru', 'Сначала сравните отпечаток'],
    ['zh-CN', '首先比对指纹'],
    ['fr', 'First compare the fingerprint'],
  ])(
    'is there over plain HTTP, in %s, with the fingerprint and the addresses, and takes no cookie',
    async (language, words) => {
      const { status, data, headers } = await elsewhere({
        'Accept-Language': language,
        Cookie: 'latchkey_session=x',
      }).get('/trust')
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-store',
      ])
      expect(headers['set-cookie']).toBeUndefined()
      expect(data).toContain(words)
      expect(data.replaceAll('<wbr>', '')).toContain(new X509Certificate(ca).fingerprint256)
      for (const url of server.lan().urls) expect(data).toContain(`href="${url}/"`)
      expect(data).not.toMatch(/\{(crt|pem|profile)\}/)
    },
  )

  test('runs no script but its own, and reaches nobody but us, over TLS', async () => {
    const { data, headers } = await elsewhere().get('/trust')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain(`connect-src 'self' https://${HERE}:${port}`)
    expect(policy).toContain("default-src 'none'")
    expect(data.match(/<script[^>]*>[^<]*/g)).toEqual(['<script src="/trust/check.js" defer>'])
    expect(data).not.toMatch(/ on\w+=/)
    const script = await elsewhere().get('/trust/check.js')
    expect([script.status, script.headers['content-type']]).toEqual([200, 'text/javascript; charset=utf-8'])
  })

  test.each(AGENTS)('opens what is to be done on %s', async (system, agent) => {
    const { data } = await elsewhere({ 'User-Agent': agent }).get('/trust')
    expect(opened(data)).toEqual([system])
  })

  test('opens what is to be done in Firefox besides, because it may have authorities of its own', async () => {
    const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
    expect(opened((await elsewhere({ 'User-Agent': agent }).get('/trust')).data)).toEqual(['linux', 'firefox'])
  })

  test('asks under the name that the visitor uses, and at the machine itself under that of the network', async () => {
    const { data } = await elsewhere({ Host: `latchkey.local:${port}` }).get('/trust')
    expect(data).toContain(`data-url="https://latchkey.local:${port}/trust/check"`)
    expect((await elsewhere({ Host: 'latchkey.local' }).get('/trust')).data).toContain(
      `https://latchkey.local:${port}/`,
    )
    const own = await buildVisitor(server.url).http.get('/trust')
    expect(own.data).toContain(`data-url="https://${HERE}:${port}/trust/check"`)
  })

  test('is the same over TLS, and under a foreign name there is none', async () => {
    expect((await askOverTls({ address: HERE, port, ca, path: '/trust' })).body).toContain('latchkey-ca.crt')
    expect((await elsewhere({ Host: 'evil.example' }).get('/trust')).status).toBe(403)
  })
})

describe('the authority', () => {
  const download = (path: string) => elsewhere().get(path, { responseType: 'arraybuffer' })

  test('can be downloaded as systems take it', async () => {
    const { raw, fingerprint256 } = new X509Certificate(ca)
    const crt = await download('/trust/latchkey-ca.crt')
    expect([crt.status, crt.headers['content-type']]).toEqual([200, 'application/x-x509-ca-cert'])
    expect(Buffer.compare(crt.data, raw)).toBe(0)
    const pem = await download('/trust/latchkey-ca.pem')
    expect(new X509Certificate(pem.data).fingerprint256).toBe(fingerprint256)
    expect(String(pem.data)).not.toContain('PRIVATE')
    const profile = await download('/trust/latchkey.mobileconfig')
    expect(profile.headers['content-type']).toBe('application/x-apple-aspen-config')
    expect(String(profile.data)).toContain(`<data>${raw.toString('base64')}</data>`)
    expect(String(profile.data)).toContain('<string>Latchkey on desk-7 (')
  })

  test('comes in a profile that no name can break, and that is the same each time', () => {
    const profile = mobileProfile('a<b>&"c', Buffer.from('x'))
    expect(profile).toContain('<string>a&#60;b&#62;&#38;&#34;c</string>')
    expect(profile).toBe(mobileProfile('a<b>&"c', Buffer.from('x')))
    expect(profile.match(/[0-9A-F]{8}-[0-9A-F]{4}-5[0-9A-F]{3}-8[0-9A-F]{3}-[0-9A-F]{12}<\/string>/g)).toHaveLength(4)
  })
})

describe('a device that trusts us', () => {
  const check = (agent: string, address = HERE) =>
    askOverTls({ address, port, ca, path: '/trust/check', headers: { 'User-Agent': agent, Origin: 'http://x' } })

  test('gets an answer that a script of the plain page may read, and nobody else’s is like it', async () => {
    const { status, headers, body } = await check('any')
    expect([status, headers['access-control-allow-origin'], body]).toEqual([204, '*', ''])
    expect(headers['access-control-allow-credentials']).toBeUndefined()
    expect(headers['set-cookie']).toBeUndefined()
    const other = await askOverTls({ address: HERE, port, ca, headers: { Origin: 'http://x' } })
    expect(other.headers['access-control-allow-origin']).toBeUndefined()
  })

  test('over plain HTTP proves nothing, and not either through a proxy that says it was encrypted', async () => {
    expect((await elsewhere().get('/trust/check')).status).toBe(404)
    expect((await elsewhere({ 'X-Forwarded-Proto': 'https' }).get('/trust/check')).status).toBe(404)
  })

  test('is remembered for the status: the last twenty, each once, the latest first, without this machine', async () => {
    const from = (ip: string, agent: string) =>
      askOverTls({
        ...{ address: HERE, port, ca, path: '/trust/check' },
        headers: { 'User-Agent': agent, 'X-Forwarded-For': ip },
      })
    expect(server.lan().devices).toEqual([])
    for (let at = 0; at < 25; at += 1) await from(`192.168.1.${at}`, 'phone')
    await from('192.168.1.20', 'phone')
    await from('192.168.1.20', 'x'.repeat(2000))
    const { devices } = server.lan()
    expect(devices).toHaveLength(20)
    expect(devices[0]).toMatchObject({ ip: '192.168.1.20', user_agent: 'x'.repeat(400) })
    expect(devices[1]).toEqual({
      ip: '192.168.1.20',
      user_agent: 'phone',
      trusted_at: new Date(server.clock()).toISOString(),
    })
    expect(devices.filter(({ ip }) => ip === '192.168.1.20')).toHaveLength(2)
  })
})

describe('plain HTTP from another machine', () => {
  test.each(['/', '/login', '/assets/x.js', '/trust/other', '/setup'])(
    '%s leads to the encrypted address and is no redirect',
    async (path) => {
      const { status, data, headers } = await elsewhere().get(path)
      expect([status, headers['location'], headers['set-cookie']]).toEqual([403, undefined, undefined])
      expect(data).toContain(`<a href="https://${HERE}:${port}">`)
      expect(data).toContain('<a href="/trust">')
    },
  )

  test('gets nothing of the interface, and can sign in nowhere', async () => {
    for (const path of ['/api/health', '/api/v2/lan', '/api/auth/setup-status'])
      expect((await elsewhere().get(path)).data.error).toBe('INSECURE_TRANSPORT')
    expect((await elsewhere().post('/api/auth/login', { username: 'a', password: 'b' })).data.error).not.toBe('ok')
  })
})

describe('while the network is off', () => {
  test('the page says so and has nothing to install', async () => {
    const off = await startInNetwork(buildNetwork(at('127.3.1.5')), { config: { trustedProxies: ['127.0.0.1'] } })
    onTestFinished(() => off.end())
    const visitor = buildVisitor(off.url, { 'X-Forwarded-For': '192.168.1.7' }).http
    const { status, data } = await visitor.get('/trust')
    expect(status).toBe(200)
    expect(data).toContain('not reachable over the network')
    expect(data).not.toMatch(/<script|latchkey-ca/)
    for (const path of [
      '/trust/latchkey-ca.crt',
      '/trust/latchkey-ca.pem',
      '/trust/latchkey.mobileconfig',
      '/trust/check',
    ])
      expect((await visitor.get(path)).status).toBe(404)
    expect((await visitor.get('/')).data).not.toContain('/trust')
  })
})

test('who may not see the settings learns nothing of the network', async () => {
  const admin = await buildSuperuser(server)
  expect(dataOf(await admin.client.lan.status()).on).toBe(true)
  expect((await buildVisitor(server.url).client.lan.status()).ok).toBe(false)
})

const opened = (page: string) => [...page.matchAll(/<details id="(\w+)" open>/g)].map(([, id]) => id)
