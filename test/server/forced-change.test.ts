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

const TEMPORARY = 'Temp-4711-hearth'
const NEW = 'tall grass at noon'
const HOUR = 3_600_000

let server: TestServer
let admin: Visitor
let id: number
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, {
    username: 'bert',
    password: TEMPORARY,
    require_password_change: true,
    expires_hours: 24,
  })
})
afterEach(() => server.end())

const login = (password: string, fields: object = {}) =>
  buildVisitor(server.url).client.auth.login({ body: { username: 'bert', password, ...fields } })
const gated = () => buildSignedIn(server, 'bert', TEMPORARY)
const meWith = (cookie: string | undefined) =>
  buildVisitor(server.url, { Cookie: `latchkey_session=${cookie}` }).client.auth.me()
const rowOf = async () => (await server.storage.users.find(id)) ?? expect.fail('no such user')

describe('a person with a temporary password', () => {
  test('is told so in the answer to the sign-in, and shown so to administrators', async () => {
    expect(dataOf(await login(TEMPORARY)).require_password_change).toBe(true)
    const shown = dataOf(await admin.client.users.read({ params: { id: String(id) } }))
    const password_expires = new Date(server.clock() + 24 * HOUR).toISOString()
    expect(shown).toMatchObject({ require_password_change: true, password_expires })
    const found = dataOf(await admin.client.users.list({ query: { state: 'temporary_password' } }))
    expect(found.items.map(({ username }) => username)).toEqual(['bert'])
  })

  test('may not go round the gate by the own number', async () => {
    const bert = await gated()
    const params = { id: String(id) }
    expect(codeOf(await bert.client.users.read({ params }))).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await bert.client.users.edit({ params, body: { display_name: 'B' } }))).toBe(
      'PASSWORD_CHANGE_REQUIRED',
    )
    expect(codeOf(await bert.client.auth.editAccount({ body: { password: TEMPORARY, new_username: 'b2x' } }))).toBe(
      'PASSWORD_CHANGE_REQUIRED',
    )
  })

  test('is gated after a restart too, in a session made before', async () => {
    const cookie = (await gated()).cookies.get('latchkey_session')
    server = await server.restart()
    expect(codeOf(await meWith(cookie))).toBe('PASSWORD_CHANGE_REQUIRED')
  })

  test.each([[false], [null], [true], [0], ['']])(
    'cannot lift the flag himself: require_password_change %j',
    async (require_password_change) => {
      const bert = await gated()
      for (const body of [{ require_password_change }, { require_password_change, password: NEW }])
        expect(codeOf(await bert.client.users.editMe({ body }))).toBe('INVALID_FIELD_MODIFY')
      expect((await rowOf()).require_password_change).toBe(true)
    },
  )

  test.each([
    { display_name: 'B', password: NEW },
    { email: 'b@example.org' },
    { username: 'free', password: NEW },
    { lang: 'de' as const },
    {},
  ])('may change nothing beside it: %j', async (body) => {
    expect(codeOf(await (await gated()).client.users.editMe({ body }))).toBe('PASSWORD_CHANGE_REQUIRED')
    expect((await rowOf()).username).toBe('bert')
  })

  test('may sign out in every way', async () => {
    const one = await gated()
    const two = await gated()
    expect(codeOf(await one.client.auth.logout())).toBe('ok')
    expect(codeOf(await two.client.users.invalidateTokens())).toBe('ok')
    expect(codeOf(await two.client.auth.me())).toBe('UNAUTHENTICATED')
  })

  test('let in by a login token stands before the same gate', async () => {
    const visitor = buildVisitor(server.url)
    const login_token = await makeLoginToken(server, id)
    dataOf(await visitor.client.auth.login({ body: { login_type: 'login_token', login_token } }))
    expect(codeOf(await visitor.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
  })
})

describe('the new password', () => {
  test('is taken without the old one; flag and end go, other sessions end, this browser stays signed in', async () => {
    const other = await gated()
    const bert = await gated()
    const before = bert.cookies.get('latchkey_session')
    const changed = dataOf(await bert.client.users.editMe({ body: { password: NEW } }))
    expect(changed).toMatchObject({ username: 'bert', require_password_change: false, password_expires: null })
    expect(await rowOf()).toMatchObject({ require_password_change: false, password_expires: null })
    expect(codeOf(await bert.client.auth.me())).toBe('ok')
    expect(bert.cookies.get('latchkey_session')).toBe(changed.token)
    const bearer = buildVisitor(server.url, { Authorization: `Bearer ${changed.token}` })
    expect(codeOf(await bearer.client.auth.me())).toBe('ok')
    expect(codeOf(await meWith(before))).toBe('SESSION_EXPIRED')
    expect(codeOf(await other.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await login(TEMPORARY))).toBe('INCORRECT_CREDENTIALS')
    expect(dataOf(await login(NEW)).require_password_change).toBe(false)
    server.clock.advance(25 * HOUR)
    expect(codeOf(await login(NEW))).toBe('ok')
  })

  test('may not be the temporary one', async () => {
    const bert = await gated()
    expect(codeOf(await bert.client.users.editMe({ body: { password: TEMPORARY } }))).toBe('PASSWORD_UNCHANGED')
    expect((await rowOf()).require_password_change).toBe(true)
  })

  test.each([
    ['seven77', 'too_short'],
    ['émigré7'.normalize('NFD'), 'too_short'],
    ['👩‍👩‍👧', 'too_short'],
    ['x'.repeat(129), 'too_long'],
    ['password1', 'common'],
    ['P@ssw0rd', 'common'],
    ['bert123!', 'contains_name'],
    ['latchkey2026', 'contains_name'],
    ['aaaaaaaaaaaa', 'too_weak'],
  ])('%j is refused, and the answer says why: %s', async (password, reason) => {
    const bert = await gated()
    const { data, status } = await bert.http.patch('/api/v2/users/@me', { password })
    expect([status, data.error]).toEqual([400, 'PASSWORD_UNACCEPTABLE'])
    expect(reason === 'too_weak' || reason === 'common' ? ['too_weak', 'common'] : [reason]).toContain(
      data.error_data.reason,
    )
  })

  test.each(['tall grass at noon', 'zx9!Kq2w', '🔑🦊🌧🧵🪁🎻🧊🫖', 'Bert walks to the old mill'])(
    '%j is good enough',
    async (password) => {
      expect(codeOf(await (await gated()).client.users.editMe({ body: { password } }))).toBe('ok')
    },
  )

  test('chosen twice at once is taken once', async () => {
    const [one, two] = [await gated(), await gated()]
    const outcomes = await Promise.all([
      one.client.users.editMe({ body: { password: NEW } }),
      two.client.users.editMe({ body: { password: 'quite another tree' } }),
    ])
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(1)
    const works = await Promise.all([login(NEW), login('quite another tree')])
    expect(works.map(({ ok }) => ok)).toEqual(outcomes.map(({ ok }) => ok))
  })

  test('voids login tokens that were not used', async () => {
    const login_token = await makeLoginToken(server, id)
    dataOf(await (await gated()).client.users.editMe({ body: { password: NEW } }))
    const late = await buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })
    expect(codeOf(late)).toBe('LOGIN_TOKEN_INVALID')
  })
})

describe('the end of a temporary password', () => {
  test('is told only to who has the right one', async () => {
    server.clock.advance(24 * HOUR)
    expect(codeOf(await login('not the right one'))).toBe('INCORRECT_CREDENTIALS')
    expect(codeOf(await login(TEMPORARY))).toBe('TEMP_PASSWORD_EXPIRED')
  })

  test('comes to the millisecond', async () => {
    server.clock.advance(24 * HOUR - 1)
    expect(codeOf(await login(TEMPORARY))).toBe('ok')
    server.clock.advance(1)
    expect(codeOf(await login(TEMPORARY))).toBe('TEMP_PASSWORD_EXPIRED')
  })

  test('comes to a session that is under way: it can only sign out', async () => {
    const bert = await gated()
    server.clock.advance(24 * HOUR - 60_000)
    const late = await gated()
    server.clock.advance(60_000)
    expect(codeOf(await late.client.users.editMe({ body: { password: NEW } }))).toBe('TEMP_PASSWORD_EXPIRED')
    expect(codeOf(await late.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(codeOf(await late.client.users.invalidateTokens())).toBe('ok')
    expect(codeOf(await bert.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(await rowOf()).toMatchObject({ require_password_change: true })
  })

  test('is told after the second factor, not before', async () => {
    await server.storage.users.setPassword(id, { ...(await gate(false)), password_expires: null })
    const { secret } = await enrol(server, await gated())
    await server.storage.users.setPassword(id, { ...(await gate(true)), password_expires: server.clock() + HOUR })
    server.clock.advance(HOUR)
    expect(codeOf(await login(TEMPORARY))).toBe('TOTP_REQUIRED')
    expect(codeOf(await login(TEMPORARY, { code: '000000' }))).toBe('TOTP_CODE_WRONG')
    expect(codeOf(await login(TEMPORARY, { code: codeAt(server, secret) }))).toBe('TEMP_PASSWORD_EXPIRED')
  })

  test('is none where no change is required or none was asked for', async () => {
    const plain = await createUser(admin, { username: 'plain', password: NEW, expires_hours: 1 })
    const endless = await createUser(admin, {
      username: 'endless',
      password: NEW,
      require_password_change: true,
      expires_hours: -1,
    })
    server.clock.advance(9000 * HOUR)
    for (const user_id of [plain, endless])
      expect((await server.storage.users.find(user_id))?.password_expires).toBeNull()
    for (const username of ['plain', 'endless'])
      expect(codeOf(await buildVisitor(server.url).client.auth.login({ body: { username, password: NEW } }))).toBe('ok')
  })
})

describe('a race', () => {
  test('a sign-in overtaken by a password change loses', async () => {
    const { create } = server.storage.sessions
    server.storage.sessions.create = async (session, proved_hash) => {
      server.storage.sessions.create = create
      await server.storage.users.setPassword(id, { ...(await gate(false)), password_hash: 'changed meanwhile' })
      return create(session, proved_hash)
    }
    expect(codeOf(await login(TEMPORARY))).toBe('INCORRECT_CREDENTIALS')
    expect(await server.storage.sessions.listLive(id, server.clock(), 0)).toEqual([])
  })

  test.each([
    [
      'PATCH @me',
      (bert: Visitor) => bert.client.users.editMe({ body: { password: NEW, current_password: TEMPORARY } }),
    ],
    [
      'account/edit',
      (bert: Visitor) =>
        bert.client.auth.editAccount({ body: { password: TEMPORARY, new_password: NEW, confirm_password: NEW } }),
    ],
  ])('an own change by %s that an administrator overtakes loses', async (_call, change) => {
    await server.storage.users.setPassword(id, await gate(false))
    const bert = await gated()
    const { setPassword, find } = server.storage.users
    const overtake = async () => {
      Object.assign(server.storage.users, { setPassword, find })
      await setPassword(id, { ...(await gate(true)), password_hash: 'set by an administrator' })
    }
    server.storage.users.find = async (user_id) => overtake().then(() => find(user_id))
    server.storage.users.setPassword = async (user_id, password) =>
      overtake().then(() => setPassword(user_id, password))
    expect(codeOf(await change(bert))).toBe('SESSION_EXPIRED')
    expect(await rowOf()).toMatchObject({ password_hash: 'set by an administrator', require_password_change: true })
  })
})

async function gate(require_password_change: boolean) {
  return {
    password_hash: (await rowOf()).password_hash ?? '',
    require_password_change,
    password_expires: null,
    at: server.clock(),
  }
}
