import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { errorTexts } from '../../api/texts/index.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, createUser, type Visitor } from '../helpers/visitor.ts'
import { codeIn, postBytes, sendRaw, sendRequest } from './raw.ts'

let server: TestServer
let admin: Visitor
beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
})
afterAll(() => server.end())

const LOGIN = '/api/auth/login'
const KIB_64 = 64 * 1024
const bodyOf = (bytes: number) => JSON.stringify({ username: 'x', password: 'y' }).padEnd(bytes, ' ')

describe('a body', () => {
  test.each(['', '{', '{"a":1,}', "{'a':1}", 'undefined', '{"a":1}x', '\u0000', '[', 'NaN'])(
    'that is not JSON is INVALID_JSON: %j',
    async (text) => {
      const answer = await postBytes(server.url, LOGIN, text)
      expect([answer.status, codeIn(answer.body)]).toEqual([400, 'INVALID_JSON'])
    },
  )

  test('that is not UTF-8 is INVALID_JSON, so that no two passwords become one', async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"username":"ann","password":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ])
    expect(codeIn((await postBytes(server.url, LOGIN, bytes)).body)).toBe('INVALID_JSON')
  })

  test('of 64 KiB is read, one byte more is 413, announced or not', async () => {
    expect(codeIn((await postBytes(server.url, LOGIN, bodyOf(KIB_64))).body)).toBe('INCORRECT_CREDENTIALS')
    const announced = await postBytes(server.url, LOGIN, bodyOf(KIB_64 + 1))
    expect([announced.status, codeIn(announced.body)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
    const chunk = bodyOf(KIB_64 + 1)
    const chunked = await sendRequest(
      server.url,
      `POST ${LOGIN}`,
      ['Content-Type: application/json', 'Transfer-Encoding: chunked'],
      `${chunk.length.toString(16)}\r\n${chunk}\r\n0\r\n\r\n`,
    )
    expect([chunked.status, codeIn(chunked.body)]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test('announced as a gigabyte is refused before it is sent', async () => {
    const answer = await sendRequest(
      server.url,
      `POST ${LOGIN}`,
      ['Content-Type: application/json', 'Content-Length: 1073741824'],
      '{}',
    )
    expect(answer.status).toBe(413)
  })

  test('in chunks is read like any other', async () => {
    const text = '{"username":"x","password":"y"}'
    const headers = ['Content-Type: application/json', 'Transfer-Encoding: chunked']
    const answer = await sendRequest(
      server.url,
      `POST ${LOGIN}`,
      headers,
      `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`,
    )
    expect(codeIn(answer.body)).toBe('INCORRECT_CREDENTIALS')
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'text/json',
    '',
  ])('of type %j is 415, so that no form of a foreign page is read', async (type) => {
    const headers = type === '' ? [] : [`Content-Type: ${type}`]
    const answer = await sendRequest(server.url, `POST ${LOGIN}`, [...headers, 'Content-Length: 2'], '{}')
    expect([answer.status, codeIn(answer.body)]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  test('may name its character set', async () => {
    const answer = await admin.http.post(LOGIN, '{}', {
      headers: { 'Content-Type': 'application/json; charset=utf-8' },
    })
    expect(codeIn(answer.data)).toBe('INVALID_JSON_SCHEMA')
  })

  test('lists every fault with its place', async () => {
    const body = {
      username: 5,
      password: null,
      permissions: ['USER_CONFIG', 'ROOT', 7],
      extra: 1,
      more: 2,
      superuser: 'yes',
    }
    const { data } = await admin.http.post('/api/v2/users', body)
    const places = data.error_data.map((fault: { path: string }) => fault.path).sort()
    expect(places).toEqual(['extra', 'more', 'password', 'permissions.1', 'permissions.2', 'superuser', 'username'])
  })

  test.each([['"5"'], ['1.5'], ['null'], ['1e999'], ['-3'], ['8761'], ['0'], ['9007199254740993'], ['[]'], ['true']])(
    'takes %s for no whole number of hours',
    async (value) => {
      const answer = await admin.http.post('/api/v2/users', `{"username":"hours","expires_hours":${value}}`, {
        headers: { 'Content-Type': 'application/json' },
      })
      expect(codeIn(answer.data)).toBe('INVALID_JSON_SCHEMA')
    },
  )

  test.each([
    '{"__proto__":{"superuser":true},"username":"proto"}',
    '{"constructor":{"prototype":{"superuser":true}},"username":"proto"}',
  ])('with keys that poison prototypes is refused and changes no object: %s', async (text) => {
    const answer = await admin.http.post('/api/v2/users', text, { headers: { 'Content-Type': 'application/json' } })
    expect(codeIn(answer.data)).toBe('INVALID_JSON_SCHEMA')
    expect({}).not.toHaveProperty('superuser')
  })

  test('nested as deep as it can be is refused, not crashed on', async () => {
    const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`
    expect(codeIn((await postBytes(server.url, LOGIN, deep)).body)).toMatch(/^INVALID_JSON/)
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
  })

  test.each(['a\u0000b', 'a\ud800b', '\udfff'])('with text that no database can keep is refused: %j', async (name) => {
    const create = await admin.client.users.create({ body: { username: 'texts', display_name: name } })
    const login = await admin.client.auth.login({ body: { username: name, password: 'x' } })
    const password = await admin.client.auth.login({ body: { username: 'ann', password: name } })
    expect([create, login, password].map(codeOf)).toEqual(Array(3).fill('INVALID_JSON_SCHEMA'))
    expect(codeOf(await admin.client.auth.revokeSession({ params: { session_id: 'a\u0000b' } }))).toBe('NOT_FOUND')
    expect(codeOf(await admin.client.users.list({ query: { q: 'a\u0000b' } }))).toBe('INVALID_QUERY')
  })

  test('with a name in any script is kept to the letter', async () => {
    const display_name = 'Зоя 北京 👩‍👩‍👧 ǅ'
    const id = await createUser(admin, { username: 'letters', display_name })
    expect(await admin.client.users.read({ params: { id: String(id) } })).toMatchObject({ data: { display_name } })
  })
})

describe('identifiers beyond what a database holds', () => {
  test.each(['0', '-1', '1.0', '2147483648', '99999999999999999999', '1e3', '0x1', '١', ' 1'])(
    '%j is not found',
    async (id) => {
      expect(codeOf(await admin.client.users.read({ params: { id } }))).toBe('NOT_FOUND')
    },
  )

  test('are refused as a manager too', async () => {
    expect(codeOf(await admin.client.users.create({ body: { username: 'mgr', manager_id: 2_147_483_648 } }))).toBe(
      'INVALID_JSON_SCHEMA',
    )
  })
})

describe('an answer', () => {
  test('speaks the language that the reader prefers of ours', async () => {
    const messageIn = async (language: string) =>
      (await buildVisitor(server.url, { 'Accept-Language': language }).http.get('/api/auth/me')).data.message
    const text = (language: keyof typeof errorTexts) => errorTexts[language].UNAUTHENTICATED
    expect(await messageIn('de-AT,de;q=0.9')).toBe(text('de'))
    expect(await messageIn('fr, ru;q=0.5, en;q=0.1')).toBe(text('ru'))
    expect(await messageIn('zh')).toBe(text('zh-CN'))
    expect(await messageIn('zh-CN')).toBe(text('zh-CN'))
    for (const odd of ['', '*', 'xx', ';;;q=,', 'de;q=0']) expect(await messageIn(odd)).toBe(text('en'))
  })

  test('carries a request id of ours, never one of the client', async () => {
    const seen = new Set<string>()
    for (const path of ['/api/health', '/api/nothing', '/', '/api/auth/me']) {
      const { headers } = await buildVisitor(server.url, { 'X-Request-Id': 'mine' }).http.get(path)
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
      seen.add(headers['x-request-id'])
    }
    expect(seen.size).toBe(4)
  })

  test('to too many tries says how long to wait in header, data and text', async () => {
    const visitor = buildVisitor(server.url)
    for (let times = 0; times < 3; times += 1)
      await visitor.client.auth.login({ body: { username: 'waits', password: 'x' } })
    const answer = await visitor.http.post(LOGIN, { username: 'waits', password: 'x' })
    expect([answer.status, answer.headers['retry-after'], answer.data.error_data]).toEqual([
      429,
      '300',
      { retry_after: 300 },
    ])
    expect(answer.data.message).toContain('300')
  })

  test('never is a success with an error in it', async () => {
    const { status, data } = await buildVisitor(server.url).http.post(LOGIN, { ...ADMIN, password: 'wrong' })
    expect([status, data.status, data.data]).toEqual([401, 'error', undefined])
  })
})

describe('a request line or header that no client would send', () => {
  test('with a query twice is refused', async () => {
    expect(codeIn((await admin.http.get('/api/v2/users?limit=1&limit=2')).data)).toBe('INVALID_QUERY')
    expect(codeIn((await admin.http.get('/api/v2/users?__proto__=1')).data)).toBe('INVALID_QUERY')
    expect(codeIn((await admin.http.get('/api/v2/users?limit[]=1')).data)).toBe('INVALID_QUERY')
  })

  test('with enormous headers is refused and the next one answered', async () => {
    expect((await sendRequest(server.url, 'GET /api/health', [`X-Much: ${'a'.repeat(20_000)}`])).status).toBe(431)
    expect(
      (await sendRequest(server.url, 'GET /api/health', [`Cookie: ${'latchkey_session=x; '.repeat(600)}`])).status,
    ).toBe(200)
  })

  test('that is not HTTP is refused and the next one answered', async () => {
    expect((await sendRaw(server.url, 'HELLO\r\n\r\n')).status).toBe(400)
    expect((await sendRaw(server.url, 'GET / HTTP/1.0\r\n\r\n')).status).toBe(403)
    expect((await sendRequest(server.url, 'GET /api/health')).status).toBe(200)
  })

  test('that smuggles a second length is refused', async () => {
    const twice = ['Content-Type: application/json', 'Content-Length: 2', 'Transfer-Encoding: chunked']
    expect((await sendRequest(server.url, `POST ${LOGIN}`, twice, '0\r\n\r\n')).status).toBe(400)
  })
})
