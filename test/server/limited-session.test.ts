import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import {
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'
import { codeAt, enrol } from './totp-codes.ts'

const PASSWORD = 'wooden quiet lamp'
const NEW = 'tall grass at noon'

let server: TestServer
let admin: Visitor
let id: number
let secret: string
let recovery_codes: string[]
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, { username: 'bert', password: PASSWORD })
  const enrolled = await enrol(server, await buildSignedIn(server, 'bert', PASSWORD))
  secret = enrolled.secret
  recovery_codes = enrolled.recovery_codes
})
afterEach(() => server.end())

async function comeByToken(visitor = buildVisitor(server.url), who = id): Promise<Visitor> {
  const login_token = await makeLoginToken(server, who)
  dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token } }))
  return visitor
}
const me = async (visitor: Visitor) => codeOf(await visitor.client.auth.me())
const prove = async (visitor: Visitor, body: { code: string } | { password: string }) =>
  codeOf(await visitor.client.auth.reauth({ body }))
const factors = async (visitor: Visitor) =>
  dataOf(await visitor.client.auth.sessions()).sessions.find(({ current }) => current)?.amr

describe('a session that a login token alone began on an account with a second factor', () => {
  test('is held until a code is proved, and is an ordinary, fresh one from then on', async () => {
    const visitor = await comeByToken()
    expect(await me(visitor)).toBe('SECOND_FACTOR_REQUIRED')
    const before = visitor.cookies.get('latchkey_session')
    expect(await prove(visitor, { code: codeAt(server, secret) })).toBe('ok')
    expect(await me(visitor)).toBe('ok')
    expect(await factors(visitor)).toEqual(['link', 'otp'])
    expect(codeOf(await visitor.client.auth.totpRecovery({ body: { code: '000000' } }))).toBe('TOTP_CODE_WRONG')
    expect(await me(buildVisitor(server.url, { Cookie: `latchkey_session=${before}` }))).toBe('UNAUTHENTICATED')
  })

  test('cools down after wrong codes, whatever right passwords are proved between them', async () => {
    const visitor = await comeByToken()
    const answers: string[] = []
    for (let tries = 0; tries < 4; tries++) {
      answers.push(await prove(visitor, { code: '000000' }))
      await prove(visitor, { password: PASSWORD })
    }
    expect(answers).toEqual([...Array<string>(3).fill('INCORRECT_CREDENTIALS'), 'TOO_MANY_ATTEMPTS'])
  })

  test('is let go by a recovery code, which is used up', async () => {
    const [code = ''] = recovery_codes
    const visitor = await comeByToken()
    expect(await prove(visitor, { code })).toBe('ok')
    expect(await factors(visitor)).toEqual(['link', 'recovery'])
    expect(await prove(await comeByToken(), { code })).toBe('INCORRECT_CREDENTIALS')
  })

  test('is not let go by the password, which counts as proved all the same', async () => {
    const visitor = await comeByToken()
    expect(await prove(visitor, { password: PASSWORD })).toBe('ok')
    expect(await me(visitor)).toBe('SECOND_FACTOR_REQUIRED')
    expect(await prove(visitor, { code: codeAt(server, secret) })).toBe('ok')
    expect(await factors(visitor)).toEqual(['link', 'pwd', 'otp'])
  })

  test('sets no password, takes no factor off and reads nothing: the token is no second factor', async () => {
    const visitor = await comeByToken()
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('SECOND_FACTOR_REQUIRED')
    expect(codeOf(await visitor.client.auth.totpDisable({ body: {} }))).toBe('SECOND_FACTOR_REQUIRED')
    expect(codeOf(await visitor.client.users.readMe())).toBe('SECOND_FACTOR_REQUIRED')
  })

  test('is held before the password gate: a temporary password is changed by who has both', async () => {
    dataOf(
      await admin.client.users.resetPassword({ params: { id: String(id) }, body: { password: 'Temp-4711-hearth' } }),
    )
    const visitor = await comeByToken()
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('SECOND_FACTOR_REQUIRED')
    expect(await prove(visitor, { code: codeAt(server, secret) })).toBe('ok')
    expect(await me(visitor)).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { password: NEW } }))).toBe('ok')
    expect(await me(visitor)).toBe('ok')
  })

  test('counts wrong codes like failed sign-ins', async () => {
    const visitor = await comeByToken()
    for (let wrong = 0; wrong < 3; wrong++)
      expect(await prove(visitor, { code: '000000' })).toBe('INCORRECT_CREDENTIALS')
    expect(await prove(visitor, { code: codeAt(server, secret) })).toBe('TOO_MANY_ATTEMPTS')
    expect(await me(visitor)).toBe('SECOND_FACTOR_REQUIRED')
  })

  test('takes a code once, of twenty tries from twenty such sessions', async () => {
    server.clock.advance(30_000)
    const visitors = await Promise.all(Array.from({ length: 5 }, () => comeByToken()))
    const code = codeAt(server, secret)
    const codes = await Promise.all(visitors.map((visitor) => prove(visitor, { code })))
    expect(codes.filter((outcome) => outcome === 'ok')).toHaveLength(1)
    const inside = await Promise.all(visitors.map(me))
    expect(inside.filter((outcome) => outcome === 'ok')).toHaveLength(1)
  })

  test('may always sign out', async () => {
    const [one, two] = [await comeByToken(), await comeByToken()]
    expect(codeOf(await one.client.auth.logout())).toBe('ok')
    expect(codeOf(await two.client.users.invalidateTokens())).toBe('ok')
  })

  test('is told that its account is disabled before anything else', async () => {
    const visitor = await comeByToken()
    const find = server.storage.sessions.findBySecret
    server.storage.sessions.findBySecret = async (hash) => {
      const found = await find(hash)
      return found && { ...found, user: { ...found.user, enabled: false } }
    }
    expect(await me(visitor)).toBe('ACCOUNT_DISABLED')
  })
})

describe('a trusted browser', () => {
  test('is the second factor of a login token, as it is of a password; but proves nothing anew', async () => {
    const visitor = buildVisitor(server.url)
    const body = { username: 'bert', password: PASSWORD, code: codeAt(server, secret), trust_device_flag: true }
    dataOf(await visitor.client.auth.login({ body }))
    await comeByToken(visitor)
    expect(await factors(visitor)).toEqual(['link', 'device'])
    expect(codeOf(await visitor.client.auth.totpRecovery({ body: { code: '000000' } }))).toBe('REAUTH_REQUIRED')
  })

  test('is one of its owner only', async () => {
    const other = await createUser(admin, { username: 'carla', password: PASSWORD })
    await enrol(server, await buildSignedIn(server, 'carla', PASSWORD))
    const visitor = buildVisitor(server.url)
    const body = { username: 'bert', password: PASSWORD, code: codeAt(server, secret), trust_device_flag: true }
    dataOf(await visitor.client.auth.login({ body }))
    await comeByToken(visitor, other)
    expect(await me(visitor)).toBe('SECOND_FACTOR_REQUIRED')
  })
})

describe('enrolling', () => {
  test('in a session that a login token began proves the factor in it', async () => {
    const carla = await createUser(admin, { username: 'carla', password: PASSWORD })
    const [here, elsewhere] = [
      await comeByToken(buildVisitor(server.url), carla),
      await comeByToken(buildVisitor(server.url), carla),
    ]
    expect(await prove(here, { password: PASSWORD })).toBe('ok')
    await enrol(server, here)
    expect(await me(here)).toBe('ok')
    expect(await me(elsewhere)).toBe('SECOND_FACTOR_REQUIRED')
  })

  test('in the forced change, by somebody whom a login token let in, ends in the console', async () => {
    await enrol(server, admin)
    dataOf(await admin.client.settings.change({ body: { mfa_demand: 'everybody' } }))
    const gated = { password: 'Temp-4711-hearth', require_password_change: true }
    const carla = await createUser(admin, { username: 'carla', ...gated })
    const visitor = await comeByToken(buildVisitor(server.url), carla)
    expect(await prove(visitor, { password: gated.password })).toBe('ok')
    const { secret: fresh } = dataOf(await visitor.client.auth.totpSetup())
    dataOf(await visitor.client.users.editMe({ body: { password: NEW, totp_code: codeAt(server, fresh) } }))
    expect(await me(visitor)).toBe('ok')
  })
})

describe('sessions that the limit does not concern', () => {
  test('those of passwords begun before the enrolment, of developer tokens and of the startup token', async () => {
    await createUser(admin, { username: 'carla', password: PASSWORD })
    const before = await buildSignedIn(server, 'carla', PASSWORD)
    await enrol(server, await buildSignedIn(server, 'carla', PASSWORD))
    expect(await me(before)).toBe('ok')

    await enrol(server, admin)
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(await me(visitor)).toBe('ok')
  })

  test('those of login tokens of people without a second factor', async () => {
    const carla = await createUser(admin, { username: 'carla' })
    expect(await me(await comeByToken(buildVisitor(server.url), carla))).toBe('ok')
  })
})
