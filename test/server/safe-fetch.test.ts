import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSafeFetch, neverConnected } from '../../server/atproto/safe-fetch.ts'
import { startProvider } from '../helpers/hostile-provider.ts'
import { startTestServer } from '../helpers/server.ts'
import { buildVisitor } from '../helpers/visitor.ts'

/** Somebody on this machine whom strangers must not make us talk to. */
let inside: Server
let port: number
let connections = 0
beforeAll(async () => {
  inside = createServer((request, response) => {
    if (request.url === '/redirect') response.writeHead(302, { Location: '/secret' }).end()
    else if (request.url === '/large') response.end('x'.repeat(300 * 1024))
    else response.end('{"secret":true}')
  })
  inside.on('connection', () => (connections += 1))
  inside.listen(0, '127.0.0.1')
  await once(inside, 'listening')
  const address = inside.address()
  port = typeof address === 'object' && address ? address.port : 0
})
beforeEach(() => {
  connections = 0
})
afterAll(() => {
  inside.closeAllConnections()
  inside.close()
})

const outcome = (asked: Promise<Response>) =>
  asked.then(
    async (answer) => `${answer.status} ${(await answer.text()).length}`,
    () => 'refused',
  )

describe('what strangers name', () => {
  const safe = createSafeFetch(false)

  test.each([
    'http://127.0.0.1:PORT/',
    'http://example.com/',
    'https://127.0.0.1:PORT/',
    'https://localhost:PORT/',
    'https://LOCALHOST.:PORT/',
    'https://0.0.0.0:PORT/',
    'https://2130706433:PORT/',
    'https://0x7f.1:PORT/',
    'https://0177.0.0.1:PORT/',
    'https://[::1]:PORT/',
    'https://[::ffff:127.0.0.1]:PORT/',
    'https://[::ffff:7f00:1]:PORT/',
    'https://10.0.0.1/',
    'https://172.16.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fe80::1]/',
    'https://[fc00::1]/',
    'https://printer.local/',
    'https://intranet/',
    'file:///etc/passwd',
    'data:application/json,{}',
  ])('is never fetched from here or from this network: %s', async (address) => {
    expect(await outcome(safe(address.replace('PORT', String(port))))).toBe('refused')
    expect(connections).toBe(0)
  })

  test('cannot choose a way round it by its own dispatcher', async () => {
    const init = { redirect: 'error' as const, dispatcher: {} }
    expect(await outcome(safe(`https://127.0.0.1:${port}/`, init))).toBe('refused')
    expect(connections).toBe(0)
  })

  test('is asked of nobody by a server that was not told to: not one connection', async () => {
    const provider = await startProvider()
    const server = await startTestServer({ config: { atprotoPlc: provider.url, atprotoResolver: provider.url } })
    provider.addAccount({ handle: 'bob.test' })
    const { data } = await buildVisitor(server.url).http.get('/api/auth/start', { params: { handle: 'bob.test' } })
    expect(data.error).toBe('PROVIDER_UNREACHABLE')
    expect(provider.requests).toEqual([])
    await server.end()
    await provider.stop()
  })
})

describe('providers on the own network', () => {
  const open = createSafeFetch(true)
  const at = (path: string) => `http://127.0.0.1:${port}${path}`

  test('are reached where the switch is on', async () => {
    expect(await outcome(open(at('/')))).toBe('200 15')
  })

  test('redirect nobody, whatever the caller asked for', async () => {
    expect(await outcome(open(at('/redirect')))).toBe('refused')
    expect(await outcome(open(at('/redirect'), { redirect: 'follow' }))).toBe('refused')
    expect(await outcome(open(new Request(at('/redirect'))))).toBe('refused')
    expect(await outcome(open(at('/redirect'), { redirect: 'manual' }))).toBe('302 0')
  })

  test('are heard for 256 KiB', async () => {
    expect(await outcome(open(at('/large')))).toBe('refused')
  })

  test('that refuse the connection were told nothing', async () => {
    const gone = await startProvider()
    await gone.stop()
    const failure: unknown = await open(gone.url).catch((error: unknown) => error)
    expect(neverConnected(failure)).toBe(true)
    expect(neverConnected(new TypeError('fetch failed', { cause: new Error('socket hang up') }))).toBe(false)
  })
})
