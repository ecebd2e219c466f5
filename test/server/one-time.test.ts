import jwt from 'jsonwebtoken'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
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
  viaProxy,
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'
import { enrol } from './totp-codes.ts'

const NEW = 'tall grass at noon'
const PASSWORD = 'wooden quiet lamp'
const HOUR = 3_600_000

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer({ config: { trustedProxies: ['127.0.0.1'] } })
  admin = await buildSuperuser(server)
})
afterEach(() => server.end())

const redeem = (temporary_token: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } })
const redeemLink = (login_token: string, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { login_type: 'login_token', login_token } })

async function buildTemporary(): Promise<Visitor> {
  const visitor = buildVisitor(server.url)
  dataOf(await redeem(server.mintStartupToken(), visitor))
  return visitor
}

describe('the startup token', () => {
  test('is not there until it is minted, and the page knows', async () => {
    const waiting = async () =>
      dataOf(await buildVisitor(server.url).client.auth.setupStatus()).temporary_login_token_enabled
    expect(await waiting()).toBe(false)
    const token = server.mintStartupToken()
    expect(token).toMatch(/^[\w-]{43}$/)
    expect(await waiting()).toBe(true)
    dataOf(await redeem(token))
    expect(await waiting()).toBe(false)
  })

  test('lets one in of fifty at once, and nobody afterwards', async () => {
    const token = server.mintStartupToken()
    const codes = (await Promise.all(Array.from({ length: 50 }, () => redeem(token)))).map(codeOf)
    expect(codes.sort()).toEqual([...Array(49).fill('TEMPORARY_TOKEN_INVALID'), 'ok'])
    expect(codeOf(await redeem(token))).toBe('TEMPORARY_TOKEN_INVALID')
  })

  test('may be pasted with white space around it, and is otherwise exact', async () => {
    const token = server.mintStartupToken()
    expect(codeOf(await redeem(token.toLowerCase()))).toBe('TEMPORARY_TOKEN_INVALID')
    expect(codeOf(await redeem(token.slice(1)))).toBe('TEMPORARY_TOKEN_INVALID')
    expect(codeOf(await redeem(` \n${token}\t `))).toBe('ok')
  })

  test('ends when another is minted, and with the process', async () => {
    const first = server.mintStartupToken()
    const second = server.mintStartupToken()
    expect(codeOf(await redeem(first))).toBe('TEMPORARY_TOKEN_INVALID')
    server = await server.restart()
    expect(codeOf(await redeem(second))).toBe('TEMPORARY_TOKEN_INVALID')
  })

  test('is answered alike when wrong, used and absent', async () => {
    const send = async (text: string) =>
      JSON.stringify(
        (
          await buildVisitor(server.url).http.post('/api/auth/login', {
            login_type: 'temporary_token',
            temporary_token: text,
          })
        ).data,
      )
    const absent = await send('x'.repeat(43))
    const token = server.mintStartupToken()
    const wrong = await send('x'.repeat(43))
    await redeem(token)
    expect(new Set([absent, wrong, await send(token)]).size).toBe(1)
  })

  test('makes a temporary session of three days, in the claims and in the cookie', async () => {
    const visitor = buildVisitor(server.url)
    const answer = await visitor.http.post('/api/auth/login', {
      login_type: 'temporary_token',
      temporary_token: server.mintStartupToken(),
    })
    expect(answer.data.data).toMatchObject({ username: 'ann', change_pwd_hint: true })
    expect(answer.headers['set-cookie']?.[0]).toContain('; Max-Age=259200;')
    const claims = jwt.decode(answer.data.data.token, { json: true })
    expect(claims).toMatchObject({ is_temporary: true, auth_source: 'startup_token' })
    expect((claims?.exp ?? 0) - (claims?.iat ?? 0)).toBe(259_200)
    expect(dataOf(await visitor.client.auth.me()).is_temporary).toBe(true)
  })

  test('signs in the first enabled superuser, though his account is locked', async () => {
    for (let at = 0; at < 100; at += 1) {
      const visitor = buildVisitor(server.url, viaProxy(server.url, `10.9.${at}.1`))
      await visitor.client.auth.login({ body: { username: 'ann', password: 'wrong' } })
    }
    const elsewhere = () =>
      buildVisitor(server.url, viaProxy(server.url, '10.8.1.1')).client.auth.login({ body: ADMIN })
    expect(codeOf(await elsewhere())).toBe('TOO_MANY_ATTEMPTS')
    expect(dataOf(await redeem(server.mintStartupToken())).username).toBe('ann')
    expect(codeOf(await elsewhere())).toBe('ok')
  })

  test('passes over a disabled superuser to the next', async () => {
    const id = await createUser(admin, { username: 'bob', password: PASSWORD, superuser: true })
    await (
      await buildSignedIn(server, 'bob', PASSWORD)
    ).client.users.edit({ params: { id: '1' }, body: { enabled: false } })
    expect(dataOf(await redeem(server.mintStartupToken())).user_id).toBe(id)
  })
})

describe('a temporary session', () => {
  test('sets a new password without the old one and is an ordinary session from then on', async () => {
    const visitor = await buildTemporary()
    const before = visitor.cookies.get('latchkey_session')
    const changed = dataOf(await visitor.client.users.editMe({ body: { password: NEW } }))
    expect(jwt.decode(changed.token, { json: true })).toMatchObject({ is_temporary: false, auth_source: 'password' })
    expect(dataOf(await visitor.client.auth.me()).is_temporary).toBe(false)
    const old = buildVisitor(server.url, { Cookie: `latchkey_session=${before}` })
    expect(codeOf(await old.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: 'yet another tree' } }))).toBe(
      'CURRENT_PASSWORD_WRONG',
    )
    expect(codeOf(await visitor.client.auth.login({ body: { username: 'ann', password: NEW } }))).toBe('ok')
  })

  test('does so by account/edit too', async () => {
    const visitor = await buildTemporary()
    const body = { new_password: NEW, confirm_password: NEW }
    expect(dataOf(await visitor.client.auth.editAccount({ body }))).toMatchObject({
      username: 'ann',
      change_pwd_hint: false,
    })
    await buildSignedIn(server, 'ann', NEW)
  })

  test('still obeys the rule of passwords, and may not keep the old one', async () => {
    const visitor = await buildTemporary()
    expect(codeOf(await visitor.client.users.editMe({ body: { password: 'password1' } }))).toBe('PASSWORD_UNACCEPTABLE')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: ADMIN.password } }))).toBe('PASSWORD_UNCHANGED')
  })

  test('of a gated superuser goes to the change form and out of it, expired or not', async () => {
    const password_hash = (await server.storage.users.find(1))?.password_hash ?? ''
    const gate = {
      password_hash,
      require_password_change: true,
      password_expires: server.clock() + HOUR,
      at: server.clock(),
    }
    await server.storage.users.setPassword(1, gate)
    server.clock.advance(2 * HOUR)
    const visitor = await buildTemporary()
    expect(codeOf(await visitor.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('ok')
    expect(codeOf(await visitor.client.auth.me())).toBe('ok')
  })

  test('switches a second factor off whose phone is lost; an ordinary session does not', async () => {
    await enrol(server, admin)
    expect(codeOf(await admin.client.auth.totpDisable({ body: {} }))).toBe('TOTP_CODE_WRONG')
    const visitor = await buildTemporary()
    expect(codeOf(await visitor.client.auth.totpDisable())).toBe('ok')
    expect(codeOf(await visitor.client.auth.totpDisable())).toBe('TOTP_NOT_ENABLED')
    await buildSignedIn(server, ADMIN.username, ADMIN.password)
  })

  test('proves no password: an ordinary session must tell the old one', async () => {
    expect(codeOf(await admin.client.auth.editAccount({ body: { new_password: NEW, confirm_password: NEW } }))).toBe(
      'CURRENT_PASSWORD_WRONG',
    )
    expect(codeOf(await admin.client.users.editMe({ body: { password: NEW } }))).toBe('CURRENT_PASSWORD_WRONG')
    expect(codeOf(await admin.client.users.editMe({ body: { password: NEW, current_password: ADMIN.password } }))).toBe(
      'ok',
    )
  })
})

describe('a login token', () => {
  test('lets one in of a hundred at once, and nobody afterwards', async () => {
    const id = await createUser(admin, { username: 'guest' })
    const token = await makeLoginToken(server, id)
    const codes = (await Promise.all(Array.from({ length: 100 }, () => redeemLink(token)))).map(codeOf)
    expect(codes.sort()).toEqual([...Array(99).fill('LOGIN_TOKEN_INVALID'), 'ok'])
    expect(codeOf(await redeemLink(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('signs in whom it names, for seven days, and hands on where to go', async () => {
    const id = await createUser(admin, { username: 'guest' })
    const visitor = buildVisitor(server.url)
    const signedIn = dataOf(
      await redeemLink(` ${await makeLoginToken(server, id, { redirect_to: '/settings' })}\n`, visitor),
    )
    expect(signedIn).toMatchObject({ user_id: id, redirect_to: '/settings', change_pwd_hint: false })
    expect(jwt.decode(signedIn.token, { json: true })).toMatchObject({
      auth_source: 'login_token',
      is_temporary: false,
    })
    expect(dataOf(await visitor.client.auth.sessions()).sessions).toMatchObject([
      { amr: ['link'], auth_source: 'login_token' },
    ])
  })

  test('is answered alike when expired, voided, of a disabled or unknown user, or never made', async () => {
    const id = await createUser(admin, { username: 'guest', password: PASSWORD })
    const off = await createUser(admin, { username: 'off', enabled: false })
    const gone = await createUser(admin, { username: 'gone' })
    const expired = await makeLoginToken(server, id, { expires_at: server.clock() + 1000 })
    const voided = await makeLoginToken(server, id)
    await (await buildSignedIn(server, 'guest', PASSWORD)).client.users.invalidateTokens()
    const ofNobody = await makeLoginToken(server, gone)
    dataOf(await admin.client.users.remove({ params: { id: String(gone) } }))
    server.clock.advance(1000)
    const secrets = [
      expired,
      voided,
      await makeLoginToken(server, off),
      ofNobody,
      'x'.repeat(43),
      server.mintStartupToken(),
    ]
    const answers = await Promise.all(
      secrets.map((login_token) =>
        buildVisitor(server.url).http.post('/api/auth/login', { login_type: 'login_token', login_token }),
      ),
    )
    expect(new Set(answers.map(({ status, data }) => JSON.stringify([status, data]))).size).toBe(1)
    expect(answers[0]?.data.error).toBe('LOGIN_TOKEN_INVALID')
  })

  test('proves nobody: its session is not fresh until a password or code was told', async () => {
    const id = await createUser(admin, { username: 'guest', password: PASSWORD })
    const visitor = buildVisitor(server.url)
    dataOf(await redeemLink(await makeLoginToken(server, id), visitor))
    expect(codeOf(await visitor.client.auth.totpSetup())).toBe('REAUTH_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('CURRENT_PASSWORD_WRONG')
    expect(codeOf(await visitor.client.auth.reauth({ body: { password: PASSWORD } }))).toBe('ok')
    expect(codeOf(await visitor.client.auth.totpSetup())).toBe('ok')
  })

  test('lets who has no password choose the first one', async () => {
    const id = await createUser(admin, { username: 'guest' })
    const visitor = buildVisitor(server.url)
    dataOf(await redeemLink(await makeLoginToken(server, id), visitor))
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('ok')
    await buildSignedIn(server, 'guest', NEW)
  })
})
