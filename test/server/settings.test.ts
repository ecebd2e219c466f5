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

const PASSWORD = 'wooden quiet lamp'
const MINUTE = 60_000

let server: TestServer
let admin: Visitor
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
})
afterEach(() => server.end())

type Body = NonNullable<NonNullable<Parameters<Visitor['client']['settings']['change']>[0]>['body']>
const change = (body: Body, by = admin) => by.client.settings.change({ body })
const read = async () => dataOf(await admin.client.settings.read())

describe('the settings', () => {
  test('stand at the values of the contract until somebody sets them', async () => {
    expect(await read()).toMatchObject({
      temp_password_presets: [-1, 1, 24, 168],
      temp_password_default: 24,
      min_password_length: 8,
      mfa_demand: 'nobody',
      session_idle: 86_400,
      name_failures: 3,
      name_window: 180,
      name_cooldown: 300,
      address_failures: 30,
      account_failures: 100,
    })
  })

  test('change one at a time, answer all, and survive a restart', async () => {
    expect(dataOf(await change({ min_password_length: 15 }))).toEqual({ ...(await read()), min_password_length: 15 })
    expect(dataOf(await change({})).min_password_length).toBe(15)
    server = await server.restart()
    expect(dataOf(await buildVisitor(server.url).client.auth.setupStatus()).min_password_length).toBe(15)
  })

  test.each([
    { min_password_length: 7 },
    { min_password_length: 65 },
    { min_password_length: '8' },
    { session_idle: 299 },
    { session_idle: 300.5 },
    { session_absolute: null },
    { mfa_demand: 'all' },
    { mfa_demand: true },
    { account_failures: 101 },
    { name_failures: 0 },
    { temp_password_presets: [] },
    { temp_password_presets: [0] },
    { temp_password_presets: [24, 24] },
    { temp_password_presets: [8761] },
    { temp_password_presets: Array.from({ length: 13 }, (_, hours) => hours + 1) },
    { temp_password_default: 0 },
    { redirect_origins: ['wiki.example.org'] },
    { redirect_origins: ['https://wiki.example.org/path'] },
    { redirect_origins: ['https://user@wiki.example.org'] },
    { redirect_origins: ['javascript:alert(1)'] },
    { redirect_origins: ['null'] },
    { secret: 1 },
  ])('refuse %j and stay as they were', async (body) => {
    const before = await read()
    const { status, data } = await admin.http.patch('/api/v2/settings', body)
    expect([status, data.error]).toEqual([400, 'INVALID_JSON_SCHEMA'])
    expect(await read()).toEqual(before)
  })

  test('refuse a default that is not among the presets, whichever of the two was sent', async () => {
    expect(codeOf(await change({ temp_password_default: 12 }))).toBe('SETTING_UNSOUND')
    expect(codeOf(await change({ temp_password_presets: [1, 12] }))).toBe('SETTING_UNSOUND')
    expect((await read()).temp_password_presets).toEqual([-1, 1, 24, 168])
    expect(codeOf(await change({ temp_password_presets: [1, 12], temp_password_default: 12 }))).toBe('ok')
    expect(dataOf(await admin.client.users.temporaryPasswordOptions())).toEqual({ presets: [1, 12], default_hours: 12 })
  })

  test('are for those who hold SETTINGS; who resets passwords learns the presets alone', async () => {
    await createUser(admin, { username: 'setter', password: PASSWORD, permissions: ['SETTINGS'] })
    await createUser(admin, { username: 'helper', password: PASSWORD, permissions: ['USER_CONFIG'] })
    const [setter, helper] = [
      await buildSignedIn(server, 'setter', PASSWORD),
      await buildSignedIn(server, 'helper', PASSWORD),
    ]
    expect(codeOf(await change({ min_password_length: 9 }, setter))).toBe('ok')
    expect([codeOf(await helper.client.settings.read()), codeOf(await change({}, helper))]).toEqual([
      'ACCESS_DENIED',
      'ACCESS_DENIED',
    ])
    expect(codeOf(await helper.client.users.temporaryPasswordOptions())).toBe('ok')
    expect(codeOf(await setter.client.users.temporaryPasswordOptions())).toBe('ACCESS_DENIED')
  })
})

describe('a setting holds at once', () => {
  const signIn = (password: string) =>
    buildVisitor(server.url).client.auth.login({ body: { username: ADMIN.username, password } })

  test('the length of a chosen password', async () => {
    dataOf(await change({ min_password_length: 20 }))
    const body = { password: 'tall grass at noon', current_password: ADMIN.password }
    expect(codeOf(await admin.client.users.editMe({ body }))).toBe('PASSWORD_UNACCEPTABLE')
    expect(dataOf(await signIn(ADMIN.password)).password_upgrade_required).toBe(false)
    dataOf(await change({ min_password_length: 21 }))
    expect(dataOf(await signIn(ADMIN.password)).password_upgrade_required).toBe(true)
  })

  test('the absolute limit, for sessions that are under way', async () => {
    server.clock.advance(61 * MINUTE)
    expect(codeOf(await admin.client.auth.me())).toBe('ok')
    expect(codeOf(await change({ session_absolute: 3600 }))).toBe('ok')
    expect(codeOf(await admin.client.auth.me())).toBe('SESSION_EXPIRED')
    const fresh = await buildSignedIn(server, ADMIN.username, ADMIN.password)
    expect(dataOf(await fresh.client.auth.sessions()).sessions).toHaveLength(1)
  })

  test('the idle limit', async () => {
    dataOf(await change({ session_idle: 300 }))
    server.clock.advance(5 * MINUTE)
    expect(codeOf(await admin.client.auth.me())).toBe('SESSION_EXPIRED')
  })

  test('the limit on failures', async () => {
    dataOf(await change({ name_failures: 1, name_cooldown: 600 }))
    expect(codeOf(await signIn('not the right one'))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await signIn(ADMIN.password))).toBe('TOO_MANY_ATTEMPTS')
    server.clock.advance(10 * MINUTE)
    expect(codeOf(await signIn(ADMIN.password))).toBe('ok')
  })
})
