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
} from '../helpers/visitor.ts'
import { makeLoginToken } from './entries.ts'
import { codeAt, enrol } from './totp-codes.ts'

const PASSWORD = 'wooden quiet lamp'
const TEMPORARY = 'Temp-4711-hearth'
const NEW = 'tall grass at noon'
const HOUR = 3_600_000

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  await enrol(server, admin)
})
afterEach(() => server.end())

const demand = async (mfa_demand: 'nobody' | 'administrators' | 'everybody') =>
  dataOf(await admin.client.settings.change({ body: { mfa_demand } }))
const create = (fields: object = {}) => createUser(admin, { username: 'bert', password: PASSWORD, ...fields })
const bert = (password = PASSWORD) => buildSignedIn(server, 'bert', password)
const me = async (visitor: Visitor) => codeOf(await visitor.client.auth.me())

describe('a demanded second factor', () => {
  test('holds whoever has none at the enrolment, and lets him go on from there in the same session', async () => {
    await create()
    await demand('everybody')
    const visitor = await bert()
    expect(await me(visitor)).toBe('MFA_ENROLMENT_REQUIRED')
    expect(codeOf(await visitor.client.users.editMe({ body: { display_name: 'B' } }))).toBe('MFA_ENROLMENT_REQUIRED')
    await enrol(server, visitor)
    expect(await me(visitor)).toBe('ok')
  })

  test('holds a session that is under way from the moment it is demanded, and lets go when it no longer is', async () => {
    await create()
    const visitor = await bert()
    expect(await me(visitor)).toBe('ok')
    await demand('everybody')
    expect(await me(visitor)).toBe('MFA_ENROLMENT_REQUIRED')
    await demand('nobody')
    expect(await me(visitor)).toBe('ok')
  })

  test('of administrators spares whoever administers nothing', async () => {
    await create()
    await demand('administrators')
    expect(await me(await bert())).toBe('ok')
    await createUser(admin, { username: 'auditor', password: PASSWORD, permissions: ['AUDIT_LOG'] })
    await createUser(admin, { username: 'boss', password: PASSWORD, superuser: true })
    for (const name of ['auditor', 'boss'])
      expect(await me(await buildSignedIn(server, name, PASSWORD))).toBe('MFA_ENROLMENT_REQUIRED')
  })

  test('leaves every way out open', async () => {
    await create()
    await demand('everybody')
    const [one, two] = [await bert(), await bert()]
    expect(codeOf(await one.client.auth.logout())).toBe('ok')
    expect(codeOf(await two.client.users.invalidateTokens())).toBe('ok')
  })

  test('taken off again holds anew: nobody stays in without one', async () => {
    await create()
    await demand('everybody')
    const visitor = await bert()
    const { secret } = await enrol(server, visitor)
    dataOf(await visitor.client.auth.totpDisable({ body: { code: codeAt(server, secret) } }))
    expect(await me(visitor)).toBe('MFA_ENROLMENT_REQUIRED')
  })

  test('wants the password again of a session that proved it long ago, and the question can be answered', async () => {
    await create()
    const visitor = await bert()
    server.clock.advance(HOUR)
    admin = await signInAgain()
    await demand('everybody')
    expect(codeOf(await visitor.client.auth.totpSetup())).toBe('REAUTH_REQUIRED')
    dataOf(await visitor.client.auth.reauth({ body: { password: PASSWORD } }))
    await enrol(server, visitor)
    expect(await me(visitor)).toBe('ok')
  })

  test('does not let a login token enrol a factor unproved', async () => {
    const id = await create()
    await demand('everybody')
    const visitor = buildVisitor(server.url)
    const login_token = await makeLoginToken(server, id)
    dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token } }))
    expect(await me(visitor)).toBe('MFA_ENROLMENT_REQUIRED')
    expect(codeOf(await visitor.client.auth.totpSetup())).toBe('REAUTH_REQUIRED')
  })

  test('is not asked of somebody without a password, who could not prove himself first', async () => {
    const id = await createUser(admin, { username: 'carla' })
    await demand('everybody')
    const visitor = buildVisitor(server.url)
    const login_token = await makeLoginToken(server, id)
    dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token } }))
    expect(await me(visitor)).toBe('ok')
  })

  test('does not stand before the startup token, the last way in', async () => {
    dataOf(await admin.client.users.edit({ params: { id: '1' }, body: { display_name: 'Ann' } }))
    await demand('everybody')
    await server.storage.users.removeTotp(1)
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(await me(visitor)).toBe('ok')
  })
})

describe('a demanded second factor after a temporary password', () => {
  const gated = { password: TEMPORARY, require_password_change: true, expires_hours: 1 }

  test('comes next, in the session that the change left: there is no deadlock', async () => {
    await create(gated)
    await demand('everybody')
    const visitor = await bert(TEMPORARY)
    expect(await me(visitor)).toBe('PASSWORD_CHANGE_REQUIRED')
    dataOf(await visitor.client.users.editMe({ body: { password: NEW } }))
    expect(await me(visitor)).toBe('MFA_ENROLMENT_REQUIRED')
    await enrol(server, visitor)
    expect(await me(visitor)).toBe('ok')
  })

  test('may come first, and both in one call', async () => {
    await create(gated)
    await demand('everybody')
    const visitor = await bert(TEMPORARY)
    const { secret } = dataOf(await visitor.client.auth.totpSetup())
    const change = (totp_code: string) => visitor.client.users.editMe({ body: { password: NEW, totp_code } })
    expect(codeOf(await change('000000'))).toBe('TOTP_CODE_WRONG')
    expect(await me(visitor)).toBe('PASSWORD_CHANGE_REQUIRED')
    const changed = dataOf(await change(codeAt(server, secret)))
    expect(changed.recovery_codes).toHaveLength(10)
    expect(changed).toMatchObject({ totp_enabled: true, require_password_change: false })
    expect(await me(visitor)).toBe('ok')
  })

  test('changes neither password nor factor when the new password is refused', async () => {
    const id = await create(gated)
    await demand('everybody')
    const visitor = await bert(TEMPORARY)
    const { secret } = dataOf(await visitor.client.auth.totpSetup())
    const body = { password: TEMPORARY, totp_code: codeAt(server, secret) }
    expect(codeOf(await visitor.client.users.editMe({ body }))).toBe('PASSWORD_UNCHANGED')
    expect((await server.storage.users.find(id))?.totp_confirmed_at).toBeNull()
  })

  test('is closed where no setting demands it', async () => {
    await create(gated)
    const visitor = await bert(TEMPORARY)
    expect(codeOf(await visitor.client.auth.totpSetup())).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.auth.totpConfirm({ body: { code: '000000' } }))).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.auth.reauth({ body: { password: TEMPORARY } }))).toBe('PASSWORD_CHANGE_REQUIRED')
  })

  test('is closed once the temporary password has ended: what is left is to sign out', async () => {
    await create(gated)
    await demand('everybody')
    const visitor = await bert(TEMPORARY)
    server.clock.advance(HOUR)
    const left = await Promise.all([
      visitor.client.auth.totpSetup(),
      visitor.client.auth.reauth({ body: { password: TEMPORARY } }),
      visitor.client.users.editMe({ body: { password: NEW } }),
    ])
    expect(left.map(codeOf)).toEqual(left.map(() => 'TEMP_PASSWORD_EXPIRED'))
    expect(await me(visitor)).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await visitor.client.auth.logout())).toBe('ok')
  })

  test('takes no code without a password', async () => {
    await create()
    const visitor = await bert()
    dataOf(await visitor.client.auth.totpSetup())
    expect(codeOf(await visitor.client.users.editMe({ body: { totp_code: '123456' } }))).toBe('INVALID_FIELD_MODIFY')
  })
})

/** The first superuser has a second factor in these tests: his session is renewed in storage's own way. */
async function signInAgain(): Promise<Visitor> {
  await server.storage.users.removeTotp(1)
  const visitor = await buildSignedIn(server, ADMIN.username, ADMIN.password)
  await enrol(server, visitor)
  return visitor
}
