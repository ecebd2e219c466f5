import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import axios from 'axios'
import { afterEach, describe, expect, expectTypeOf, test } from 'vitest'
import { createClient } from '../../api/client.ts'
import { table } from '../../api/index.ts'

const servers: ReturnType<typeof createServer>[] = []

/** A client of a server that answers every request so. */
async function clientOf(answer: (req: IncomingMessage, res: ServerResponse) => void) {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return createClient(table, axios.create({ baseURL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }))
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

const refusal = { status: 'error', error: 'TOO_MANY_ATTEMPTS', message: 'Wait.', error_data: { retry_after: 7 } }

describe('the client', () => {
  test('answers a success as a value', async () => {
    const client = await clientOf((_req, res) => res.end('{"status":"ok","data":{"storage":"ok","version":"1"}}'))
    expect(await client.system.health()).toEqual({ ok: true, data: { storage: 'ok', version: '1' } })
  })

  test('answers a refusal as a value with code, text, data, status and request id', async () => {
    const client = await clientOf((_req, res) => {
      res.writeHead(429, { 'X-Request-Id': 'r1' }).end(JSON.stringify(refusal))
    })
    const outcome = await client.auth.login({ body: { username: 'ann', password: 'x' } })
    const error = {
      code: 'TOO_MANY_ATTEMPTS',
      message: 'Wait.',
      data: { retry_after: 7 },
      status: 429,
      requestId: 'r1',
    }
    expect(outcome).toEqual({ ok: false, error })
  })

  test('knows by type which codes a call can answer', async () => {
    const client = await clientOf((_req, res) => res.end('{}'))
    const outcome = await client.users.read({ params: { id: '1' } })
    if (outcome.ok) return
    expectTypeOf(outcome.error.code)
      .extract<'USER_NOT_FOUND' | 'UNREACHABLE'>()
      .toEqualTypeOf<'USER_NOT_FOUND' | 'UNREACHABLE'>()
    expectTypeOf(outcome.error.code).extract<'LAST_SUPERUSER'>().toEqualTypeOf<never>()
  })

  test('says UNREACHABLE where nobody answers, never throws', async () => {
    const client = createClient(table, axios.create({ baseURL: 'http://127.0.0.1:1' }))
    expect(await client.auth.me()).toMatchObject({ ok: false, error: { code: 'UNREACHABLE', status: 0 } })
  })

  test('says UNREACHABLE when the connection breaks off or the caller gives up', async () => {
    const breaking = await clientOf((req) => req.socket.destroy())
    expect(await breaking.auth.me()).toMatchObject({ error: { code: 'UNREACHABLE' } })
    const silent = await clientOf(() => {})
    expect(await silent.auth.me({}, { signal: AbortSignal.abort() })).toMatchObject({ error: { code: 'UNREACHABLE' } })
  })

  test.each([
    ['a page of a proxy', '<html>502</html>'],
    ['an empty answer', ''],
    ['a code nobody knows', '{"status":"error","error":"toString","message":""}'],
    ['a success that is none', '{"data":1}'],
    ['a bare word', '"ok"'],
  ])('says INTERNAL for %s', async (_what, text) => {
    const client = await clientOf((_req, res) => res.writeHead(502).end(text))
    expect(await client.auth.me()).toMatchObject({ ok: false, error: { code: 'INTERNAL', status: 502 } })
  })

  test('fills a path so that no value can change which path it is', async () => {
    const seen: string[] = []
    const client = await clientOf((req, res) => {
      seen.push(`${req.method} ${req.url}`)
      res.end('{"status":"ok","data":{}}')
    })
    await client.auth.revokeSession({ params: { session_id: 'a/../b?c#d$&é' } })
    expect(seen).toEqual(['DELETE /api/auth/sessions/a%2F..%2Fb%3Fc%23d%24%26%C3%A9'])
  })

  test('sends a body as JSON and says so, and none where the call takes none', async () => {
    const seen: (string | undefined)[] = []
    const client = await clientOf((req, res) => {
      seen.push(req.headers['content-type'], req.headers['content-length'])
      res.end('{"status":"ok","data":{}}')
    })
    await client.auth.totpConfirm({ body: { code: '123456' } })
    await client.auth.revokeOtherSessions()
    expect(seen.slice(0, 2)).toEqual(['application/json', '17'])
    expect(seen[3] ?? '0').toBe('0')
  })
})
