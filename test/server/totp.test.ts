import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'
import { codeAt, enrol } from './totp-codes.ts'

const MINUTE = 60_000

let server: TestServer
let ann: Visitor
beforeEach(async () => {
  server = await startTestServer()
  ann = await buildSuperuser(server)
})
afterEach(() => server.end())

const login = (fields: object = {}, visitor = buildVisitor(server.url)) =>
  visitor.client.auth.login({ body: { ...ADMIN, ...fields } })

describe('enrolling', () => {
  test('offers a secret of 160 bits as address and text, and counts only once a code proved it', async () => {
    const { otpauth_uri, secret } = dataOf(await ann.client.auth.totpSetup())
    expect(secret).toMatch(/^[A-Z2-7]{32}$/)
    expect(otpauth_uri).toBe(
      `otpauth://totp/Latchkey:ann?issuer=Latchkey&secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    )
    expect(codeOf(await login())).toBe('ok')
    expect(codeOf(await ann.client.auth.totpConfirm({ body: { code: '000000' } }))).toBe('TOTP_CODE_WRONG')
    const { recovery_codes } = dataOf(await ann.client.auth.totpConfirm({ body: { code: codeAt(server, secret) } }))
    expect(recovery_codes).toHaveLength(10)
    expect(new Set(recovery_codes).size).toBe(10)
    for (const code of recovery_codes)
      expect(code).toMatch(/^([bcdfghjkmnpqrstvwxz2-9]{6}-){3}[bcdfghjkmnpqrstvwxz2-9]{6}$/)
    expect(codeOf(await login())).toBe('TOTP_REQUIRED')
    expect(dataOf(await ann.client.users.readMe())).toMatchObject({ totp_enabled: true, recovery_codes_left: 10 })
  })

  test('again before it was confirmed replaces the secret', async () => {
    const first = dataOf(await ann.client.auth.totpSetup()).secret
    const second = dataOf(await ann.client.auth.totpSetup()).secret
    expect(codeOf(await ann.client.auth.totpConfirm({ body: { code: codeAt(server, first) } }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await ann.client.auth.totpConfirm({ body: { code: codeAt(server, second) } }))).toBe('ok')
  })

  test('is refused when it stands, confirming when none was begun', async () => {
    expect(codeOf(await ann.client.auth.totpConfirm({ body: { code: '123456' } }))).toBe('TOTP_NOT_ENABLED')
    expect(codeOf(await ann.client.auth.totpDisable({ body: { code: '123456' } }))).toBe('TOTP_NOT_ENABLED')
    const { secret } = await enrol(server, ann)
    expect(codeOf(await ann.client.auth.totpSetup())).toBe('TOTP_ALREADY_ENABLED')
    expect(codeOf(await ann.client.auth.totpConfirm({ body: { code: codeAt(server, secret) } }))).toBe(
      'TOTP_ALREADY_ENABLED',
    )
  })

  test('keeps the secret and the recovery codes out of every file on disk', async () => {
    const { secret, recovery_codes } = await enrol(server, ann)
    await server.stop()
    const names = await readdir(server.directory)
    const files = await Promise.all(names.map((name) => readFile(join(server.directory, name), 'latin1')))
    expect(files.join('')).toContain('totp_secret')
    for (const told of [secret, ...recovery_codes, ...recovery_codes.map((code) => code.replaceAll('-', ''))])
      expect(files.join('')).not.toContain(told)
    server = await startTestServer({ directory: server.directory, clock: server.clock })
    expect(codeOf(await login({ code: codeAt(server, secret) }))).toBe('ok')
  })
})

describe('signing in with a code', () => {
  test('is asked for only after the right password', async () => {
    await enrol(server, ann)
    const answer = await buildVisitor(server.url).http.post('/api/auth/login', ADMIN)
    expect([answer.status, answer.data.error, answer.data.error_data]).toEqual([
      401,
      'TOTP_REQUIRED',
      { totp_required: true },
    ])
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(codeOf(await login({ password: 'wrong' }))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await login({ password: 'wrong', code: '123456' }))).toBe('INCORRECT_CREDENTIALS')
  })

  test.each([
    [-2, 'TOTP_CODE_WRONG'],
    [-1, 'ok'],
    [0, 'ok'],
    [1, 'ok'],
    [2, 'TOTP_CODE_WRONG'],
  ])('of %i steps away is answered %s', async (steps, code) => {
    const { secret } = await enrol(server, ann)
    server.clock.advance(5 * MINUTE)
    expect(codeOf(await login({ code: codeAt(server, secret, steps) }))).toBe(code)
  })

  test('takes each code once, and none older than the last', async () => {
    const { secret } = await enrol(server, ann)
    server.clock.advance(5 * MINUTE)
    const code = codeAt(server, secret)
    const both = await Promise.all([login({ code }), login({ code })])
    expect(both.map(codeOf).sort()).toEqual(['TOTP_CODE_WRONG', 'ok'])
    expect(codeOf(await login({ code: codeAt(server, secret, -1) }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await login({ code: codeAt(server, secret, 1) }))).toBe('ok')
  })

  test('does not take the code that confirmed the enrolment', async () => {
    const { secret } = dataOf(await ann.client.auth.totpSetup())
    const code = codeAt(server, secret)
    dataOf(await ann.client.auth.totpConfirm({ body: { code } }))
    expect(codeOf(await login({ code }))).toBe('TOTP_CODE_WRONG')
  })

  test('forgives spaces in it, and nothing else', async () => {
    const { secret } = await enrol(server, ann)
    const code = codeAt(server, secret)
    expect(codeOf(await login({ code: '12345' }))).toBe('INVALID_JSON_SCHEMA')
    expect(codeOf(await login({ code: Number(code) }))).toBe('INVALID_JSON_SCHEMA')
    expect(codeOf(await login({ code: ` ${code.slice(0, 3)} ${code.slice(3)} ` }))).toBe('ok')
  })

  test('counts wrong codes like wrong passwords', async () => {
    const { secret } = await enrol(server, ann)
    for (const code of ['111111', '222222', '333333']) expect(codeOf(await login({ code }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await login({ code: codeAt(server, secret) }))).toBe('TOO_MANY_ATTEMPTS')
    server.clock.advance(5 * MINUTE)
    expect(codeOf(await login({ code: codeAt(server, secret) }))).toBe('ok')
  })

  test('does not forget the failures of codes by telling the password again', async () => {
    await enrol(server, ann)
    const codes = []
    for (const code of ['111111', undefined, '222222', undefined, '333333', undefined])
      codes.push(codeOf(await login(code ? { code } : {})))
    expect(codes).toEqual([
      'TOTP_CODE_WRONG',
      'TOTP_REQUIRED',
      'TOTP_CODE_WRONG',
      'TOTP_REQUIRED',
      'TOTP_CODE_WRONG',
      'TOO_MANY_ATTEMPTS',
    ])
  })

  test('is noted in the session as what was proved', async () => {
    const { secret } = await enrol(server, ann)
    const visitor = buildVisitor(server.url)
    await login({ code: codeAt(server, secret) }, visitor)
    const { sessions } = dataOf(await visitor.client.auth.sessions())
    expect(sessions.find(({ current }) => current)?.amr).toEqual(['pwd', 'otp'])
  })
})

describe('recovery codes', () => {
  test('sign in once each, however they are typed', async () => {
    const { recovery_codes } = await enrol(server, ann)
    const [first = '', second = '', third = ''] = recovery_codes
    expect(codeOf(await login({ code: first.toUpperCase() }))).toBe('ok')
    expect(codeOf(await login({ code: first }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await login({ code: second.replaceAll('-', ' ') }))).toBe('ok')
    const race = await Promise.all([1, 2, 3].map(() => login({ code: third })))
    expect(race.filter(({ ok }) => ok)).toHaveLength(1)
    expect(dataOf(await ann.client.users.readMe()).recovery_codes_left).toBe(7)
  })

  test('made anew end the old ones', async () => {
    const { secret, recovery_codes } = await enrol(server, ann)
    const anew = dataOf(await ann.client.auth.totpRecovery({ body: { code: codeAt(server, secret) } })).recovery_codes
    expect(anew.filter((code) => recovery_codes.includes(code))).toEqual([])
    expect(codeOf(await login({ code: recovery_codes[0] }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await login({ code: anew[0] }))).toBe('ok')
  })
})

describe('switching off', () => {
  test('wants a code, and ends codes, recovery codes and trust', async () => {
    const { secret, recovery_codes } = await enrol(server, ann)
    expect(codeOf(await ann.client.auth.totpDisable({ body: { code: '123456' } }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await ann.client.auth.totpDisable({ body: { code: codeAt(server, secret) } }))).toBe('ok')
    expect(codeOf(await login())).toBe('ok')
    const again = await enrol(server, ann)
    expect(again.secret).not.toBe(secret)
    expect(codeOf(await login({ code: recovery_codes[0] }))).toBe('TOTP_CODE_WRONG')
  })

  test('and every other act on the second factor asks who was last proved long ago to prove it again', async () => {
    const { secret } = await enrol(server, ann)
    server.clock.advance(20 * MINUTE)
    const body = { code: codeAt(server, secret) }
    for (const act of [ann.client.auth.totpDisable, ann.client.auth.totpRecovery, ann.client.auth.totpConfirm])
      expect(codeOf(await act({ body }))).toBe('REAUTH_REQUIRED')
    expect(codeOf(await ann.client.auth.reauth({ body: { password: 'wrong' } }))).toBe('INCORRECT_CREDENTIALS')
    const before = ann.cookies.get('latchkey_session')
    const { fresh_until } = dataOf(await ann.client.auth.reauth({ body }))
    expect(Date.parse(fresh_until)).toBe(server.clock() + 15 * MINUTE)
    expect(codeOf(await buildVisitor(server.url, { Cookie: `latchkey_session=${before}` }).client.auth.me())).toBe(
      'UNAUTHENTICATED',
    )
    expect(codeOf(await ann.client.auth.totpDisable({ body }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await ann.client.auth.totpDisable({ body: { code: codeAt(server, secret, 1) } }))).toBe('ok')
  })

  test.each([{}, { password: ADMIN.password, code: '123456' }, { password: '' }])(
    're-authentication takes a password or a code, not %j',
    async (body) => {
      expect(codeOf(await ann.client.auth.reauth({ body }))).toBe('INVALID_JSON_SCHEMA')
    },
  )

  test('wrong re-authentications cool down like wrong sign-ins', async () => {
    for (let at = 0; at < 3; at += 1) await ann.client.auth.reauth({ body: { password: 'wrong' } })
    expect(codeOf(await ann.client.auth.reauth({ body: { password: ADMIN.password } }))).toBe('TOO_MANY_ATTEMPTS')
  })
})

describe('a trusted browser', () => {
  async function buildTrusted() {
    const { secret } = await enrol(server, ann)
    const visitor = buildVisitor(server.url)
    dataOf(await login({ code: codeAt(server, secret), trust_device_flag: true }, visitor))
    return { visitor, secret }
  }

  test('is asked for the password only, and nobody else is', async () => {
    const { visitor } = await buildTrusted()
    expect(codeOf(await login({}, visitor))).toBe('ok')
    expect(codeOf(await login())).toBe('TOTP_REQUIRED')
    const sessions = dataOf(await visitor.client.auth.sessions()).sessions
    expect(sessions.find(({ current }) => current)?.amr).toEqual(['pwd', 'device'])
  })

  test('is trusted for thirty days from the code, however often it comes and asks', async () => {
    const { visitor } = await buildTrusted()
    server.clock.advance(29 * 24 * 60 * MINUTE)
    expect(codeOf(await login({ trust_device_flag: true }, visitor))).toBe('ok')
    server.clock.advance(2 * 24 * 60 * MINUTE)
    expect(codeOf(await login({}, visitor))).toBe('TOTP_REQUIRED')
  })

  test('can be told from the list and sent away', async () => {
    const { visitor } = await buildTrusted()
    const [device, ...others] = dataOf(await ann.client.auth.trustedDevices()).devices
    expect(others).toEqual([])
    expect(JSON.stringify(device)).not.toContain(visitor.cookies.get('latchkey_device'))
    const params = { device_id: device?.device_id ?? '' }
    expect(codeOf(await ann.client.auth.revokeTrustedDevice({ params }))).toBe('ok')
    expect(codeOf(await ann.client.auth.revokeTrustedDevice({ params }))).toBe('DEVICE_NOT_FOUND')
    expect(codeOf(await login({}, visitor))).toBe('TOTP_REQUIRED')
  })

  test('is forgotten when the password changes', async () => {
    const { visitor } = await buildTrusted()
    dataOf(
      await ann.client.users.editMe({ body: { password: 'tall grass at noon', current_password: ADMIN.password } }),
    )
    expect(codeOf(await login({ password: 'tall grass at noon' }, visitor))).toBe('TOTP_REQUIRED')
  })

  test('is none without a second factor', async () => {
    const visitor = buildVisitor(server.url)
    dataOf(await login({ trust_device_flag: true }, visitor))
    expect([...visitor.cookies.keys()]).toEqual(['latchkey_session'])
  })
})
