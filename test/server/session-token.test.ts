import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import jwt from 'jsonwebtoken'
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
let token: string
let key: Buffer
beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  token = admin.cookies.get('latchkey_session') ?? ''
  const keyring = JSON.parse(await readFile(join(server.directory, 'keyring.json'), 'utf8'))
  key = Buffer.from(keyring.signing[0].key, 'base64url')
})
afterAll(() => server.end())

const claimsOf = (text: string) => jwt.decode(text, { json: true }) ?? {}
const withBearer = (text: string) => buildVisitor(server.url, { Authorization: `Bearer ${text}` }).client.auth.me()
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('the session token', () => {
  test('is HS256 with a key id and exactly the claims of the contract', () => {
    const decoded = jwt.decode(token, { complete: true })
    expect(decoded?.header).toEqual({ alg: 'HS256', typ: 'JWT', kid: expect.stringMatching(/^[0-9a-f]{8}$/) })
    const now = Math.floor(server.clock() / 1000)
    expect(decoded?.payload).toEqual({
      sub: '1',
      sid: expect.stringMatching(/^[\w-]{43}$/),
      is_temporary: false,
      auth_source: 'password',
      iat: now,
      exp: now + 604_800,
    })
  })

  test('signs in as a bearer token too', async () => {
    expect(dataOf(await withBearer(token)).username).toBe('ann')
    expect(codeOf(await buildVisitor(server.url, { Authorization: `bearer   ${token} ` }).client.auth.me())).toBe('ok')
  })

  test('holds no session name that the lists show: the secret is another', async () => {
    const [session] = dataOf(await admin.client.auth.sessions()).sessions
    expect(JSON.stringify(claimsOf(token))).not.toContain(session?.session_id)
  })

  const forged: [string, () => string][] = [
    ['signed with nothing (alg none)', () => `${part({ alg: 'none', typ: 'JWT' })}.${part(claimsOf(token))}.`],
    ['alg none with our key id', () => `${part({ alg: 'none', kid: kid() })}.${part(claimsOf(token))}.`],
    ['signed with another key', () => jwt.sign(claimsOf(token), 'another key', { keyid: kid() })],
    ['signed with an empty key', () => sign({ alg: 'HS256', kid: kid() }, claimsOf(token), Buffer.alloc(0))],
    ['of another algorithm with our key', () => jwt.sign(claimsOf(token), key, { algorithm: 'HS512', keyid: kid() })],
    ['without a key id', () => jwt.sign(claimsOf(token), key)],
    ['of an unknown key id', () => jwt.sign(claimsOf(token), key, { keyid: 'ffffffff' })],
    ['of a key id that every object has', () => jwt.sign(claimsOf(token), key, { keyid: 'constructor' })],
    ['with a changed claim', () => token.replace(/\.[^.]+\./, `.${part({ ...claimsOf(token), sub: '2' })}.`)],
    ['with a cut signature', () => token.slice(0, -1)],
    ['with more behind it', () => `${token}.${token}`],
    [
      'signed by us, of a session that never was',
      () => jwt.sign({ ...claimsOf(token), sid: 'x'.repeat(43) }, key, { keyid: kid() }),
    ],
    ['signed by us, without a session', () => jwt.sign({ sub: '1', iat: 1, exp: 9e9 }, key, { keyid: kid() })],
    [
      'signed by us, with a session that is a list',
      () => jwt.sign({ ...claimsOf(token), sid: [claimsOf(token)['sid']] }, key, { keyid: kid() }),
    ],
    ['just the secret', () => String(claimsOf(token)['sid'])],
    ['nothing', () => ''],
  ]
  test.each(forged)('%s is refused, as a bearer token and as a cookie', async (_what, forge) => {
    const text = forge()
    expect(codeOf(await withBearer(text))).toBe('UNAUTHENTICATED')
    expect(codeOf(await buildVisitor(server.url, { Cookie: `latchkey_session=${text}` }).client.auth.me())).toBe(
      'UNAUTHENTICATED',
    )
  })

  test('as a bearer token beats the cookie, even when it is wrong', async () => {
    await createUser(admin, { username: 'other', password: 'wooden quiet lamp' })
    const other = (await buildSignedIn(server, 'other', 'wooden quiet lamp')).cookies.get('latchkey_session')
    const both = (bearer: string) =>
      buildVisitor(server.url, { Cookie: `latchkey_session=${token}`, Authorization: bearer }).client.auth.me()
    expect(dataOf(await both(`Bearer ${other}`)).username).toBe('other')
    expect(codeOf(await both('Bearer wrong'))).toBe('UNAUTHENTICATED')
    expect(codeOf(await both('Bearer two words'))).toBe('UNAUTHENTICATED')
  })

  test('of another scheme (a proxy of its own password) leaves the cookie in force, with all that it asks for', async () => {
    const basic = { Cookie: `latchkey_session=${token}`, Authorization: 'Basic YTpi' }
    expect(codeOf(await buildVisitor(server.url, basic).client.auth.me())).toBe('ok')
    const without = await buildVisitor(server.url, { ...basic, Origin: '' }).http.post(
      '/api/auth/sessions/revoke-others',
    )
    expect(without.data.error).toBe('BAD_ORIGIN')
  })

  test('is never taken from the address or the body', async () => {
    const { http } = buildVisitor(server.url)
    for (const path of [
      `/api/auth/me?token=${token}`,
      `/api/auth/me?access_token=${token}`,
      `/api/auth/me?latchkey_session=${token}`,
    ])
      expect((await http.get(path)).status).toBe(401)
  })

  test('still counts after a restart, and no longer once its row says so', async () => {
    server = await server.restart()
    expect(codeOf(await withBearer(token))).toBe('ok')
    await server.storage.sessions.revokeAll(1, server.clock())
    expect(codeOf(await withBearer(token))).toBe('SESSION_EXPIRED')
  })

  test('keeps working beside a newer key, and not without its own', async () => {
    const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    const mine = visitor.cookies.get('latchkey_session') ?? ''
    expect(claimsOf(mine)['exp']).toBe(Math.floor(server.clock() / 1000) + 604_800)
    expect(codeOf(await withBearer(mine.replace(/^[^.]+/, part({ alg: 'HS256', typ: 'JWT', kid: 'other' }))))).toBe(
      'UNAUTHENTICATED',
    )
  })
})

function kid(): string {
  return String(jwt.decode(token, { complete: true })?.header.kid)
}

function sign(header: object, claims: object, secret: Buffer): string {
  const text = `${part(header)}.${part(claims)}`
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}
