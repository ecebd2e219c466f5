import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import axios from 'axios'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, buildVisitor, type Visitor } from '../helpers/visitor.ts'
import { sendRequest } from './raw.ts'

const SCRIPT = 'console.log("latchkey")\n'.repeat(200)

let server: TestServer
let pages: string
let anybody: Visitor
beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'latchkey-page-'))
  await mkdir(join(pages, 'page/assets'), { recursive: true })
  await writeFile(join(pages, 'secret.txt'), 'outside')
  await symlink(join(pages, 'secret.txt'), join(pages, 'page/link.txt'))
  await writeFile(join(pages, 'page/index.html'), '<!doctype html><title>Latchkey</title>')
  await writeFile(join(pages, 'page/assets/index-1a2b.js'), SCRIPT)
  await writeFile(join(pages, 'page/icon.png'), Buffer.from([137, 80, 78, 71]))
  server = await startTestServer({ config: { pageDirectory: join(pages, 'page') } })
  await buildSuperuser(server)
  anybody = buildVisitor(server.url)
})
afterAll(async () => {
  await server.end()
  await rm(pages, { recursive: true })
})

const ON_ALL = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
}
const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
const get = (path: string, headers: Record<string, string> = {}) => anybody.http.get(path, { headers })

describe('security headers', () => {
  test.each([
    '/api/health',
    '/api/auth/me',
    '/api/nothing',
    '/api/reference',
    '/api',
    '/',
    '/login',
    '/assets/index-1a2b.js',
    '/assets/none.js',
    '/icon.png',
  ])('are on %s', async (path) => {
    const { headers } = await get(path)
    expect(headers).toMatchObject(ON_ALL)
    for (const word of ["base-uri 'none'", "frame-ancestors 'none'", "default-src 'none'"])
      expect(headers['content-security-policy']).toContain(word)
    for (const tells of ['server', 'x-powered-by', 'strict-transport-security']) expect(headers[tells]).toBeUndefined()
  })

  test.each(['/api/health', '/api/auth/me', '/api/nothing'])(
    'of the interface keep %s out of every cache and let nothing run',
    async (path) => {
      const { headers } = await get(path)
      expect(headers).toMatchObject({ 'content-security-policy': API_POLICY, 'cache-control': 'no-store' })
      expect(headers['content-type']).toMatch(/^application\/json/)
    },
  )

  test('of a refusal by Host, of a 413 and of a wrong verb are the same', async () => {
    for (const answer of [
      await sendRequest(server.url, 'GET /api/health', ['Host: evil.example']),
      await sendRequest(server.url, 'POST /api/auth/login', [
        'Content-Type: application/json',
        'Content-Length: 70000',
      ]),
      await sendRequest(server.url, 'PUT /api/auth/login'),
    ]) {
      for (const [name, value] of Object.entries(ON_ALL))
        expect(answer.head.toLowerCase()).toContain(`${name}: ${value.toLowerCase()}`)
    }
  })

  test('of the page allow its own scripts and no inline ones, no plugin and no frame', async () => {
    const policy = String((await get('/')).headers['content-security-policy'])
    const parts = Object.fromEntries(
      policy.split('; ').map((part) => [part.split(' ')[0], part.split(' ').slice(1).join(' ')]),
    )
    expect(parts).toMatchObject({
      'script-src': "'self'",
      'connect-src': "'self'",
      'object-src': "'none'",
      'form-action': "'self'",
    })
    expect(policy).not.toMatch(/unsafe-eval|https?:|\*/)
  })

  test('of the reference page allow no script at all', async () => {
    const { headers, data } = await get('/api/reference')
    expect(headers['content-security-policy']).not.toContain('script-src')
    expect(data).not.toContain('<script')
  })
})

describe('the page', () => {
  test('is answered for every path of its own router, fresh each time', async () => {
    for (const path of ['/', '/login', '/users/7', '/index.html', '/setup']) {
      const { status, headers, data } = await get(path)
      expect([status, headers['content-type'], headers['cache-control']]).toEqual([
        200,
        'text/html; charset=utf-8',
        'no-cache',
      ])
      expect(data).toContain('<title>Latchkey</title>')
    }
  })

  test('leaves no address in a cache that can hold a login token', async () => {
    for (const path of ['/login/token', '/login/token/some-secret'])
      expect((await get(path)).headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  })

  test('has assets that are kept for ever, and misses missing ones', async () => {
    const { headers } = await get('/assets/index-1a2b.js')
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    })
    expect((await get('/assets/none.js')).status).toBe(404)
  })

  test.each(['/', '/assets/index-1a2b.js'])('%s is not sent again to who has it', async (path) => {
    const { headers } = await get(path)
    const again = await get(path, { 'If-None-Match': String(headers['etag']) })
    expect([again.status, again.data]).toEqual([304, ''])
    expect(again.headers).toMatchObject(ON_ALL)
    expect((await get(path, { 'If-None-Match': '"other"' })).status).toBe(200)
  })

  test.each([
    ['br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip, br', 'br', brotliDecompressSync],
    ['identity', undefined, (bytes: Buffer) => bytes],
    ['br;q=0', undefined, (bytes: Buffer) => bytes],
  ])('is compressed as the browser accepts it: %s', async (accepted, encoding, unpack) => {
    const { headers, data } = await axios.get(`${server.url}/assets/index-1a2b.js`, {
      headers: { 'Accept-Encoding': accepted },
      decompress: false,
      responseType: 'arraybuffer',
    })
    expect([headers['content-encoding'], headers['vary']]).toEqual([encoding, 'Accept-Encoding'])
    expect(unpack(Buffer.from(data)).toString()).toBe(SCRIPT)
    if (encoding) expect(Number(headers['content-length'])).toBeLessThan(SCRIPT.length)
  })

  test.each([
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/assets/../../secret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/....//secret.txt',
    '//etc/passwd',
    '/link.txt',
    '/%00',
    '/assets/index-1a2b.js%00.png',
    '/.env',
    '/constructor',
    '/__proto__',
    '/%',
    'http://evil.example/../secret.txt',
  ])('%s reaches no file but the page itself', async (path) => {
    const { status, body } = await sendRequest(server.url, `GET ${path}`)
    expect([200, 400, 404]).toContain(status)
    expect(body).not.toMatch(/outside|root:/)
  })

  test('takes GET and HEAD only, and answers HEAD without a body', async () => {
    const post = await anybody.http.post('/login', {})
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD'])
    const head = await sendRequest(server.url, 'HEAD /')
    expect([head.status, head.body]).toEqual([200, ''])
  })

  test('that was never built is missing, and the interface works', async () => {
    const bare = await startTestServer({ config: { pageDirectory: '/nowhere' } })
    expect((await buildVisitor(bare.url).http.get('/')).status).toBe(404)
    expect((await buildVisitor(bare.url).http.get('/api/health')).status).toBe(200)
    await bare.end()
  })
})
