import { afterAll, beforeAll, expect, test } from 'vitest'
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

const PASSWORD = 'wooden quiet lamp'

let server: TestServer
let admin: Visitor
let bert: { id: string; visitor: Visitor }
let carla: { id: string; visitor: Visitor }

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  const build = async (username: string) => {
    const id = String(await createUser(admin, { username, password: PASSWORD }))
    return { id, visitor: await buildSignedIn(server, username, PASSWORD) }
  }
  ;[bert, carla] = [await build('bert'), await build('carla')]
})
afterAll(() => server.end())

const sessionsOf = async (id: string) => dataOf(await admin.client.users.sessions({ params: { id } })).sessions
const me = async (visitor: Visitor) => codeOf(await visitor.client.auth.me())

test('an administrator sees the sessions of somebody else, none of them his own, and no secret', async () => {
  const [session, ...others] = await sessionsOf(bert.id)
  expect(others).toEqual([])
  expect(session).toMatchObject({ kind: 'browser', auth_source: 'password', amr: ['pwd'], current: false })
  expect(JSON.stringify(session)).not.toMatch(/secret|hash/)
  expect((await sessionsOf('1')).map(({ current }) => current)).toEqual([true])
})

test('a session is ended only under the name of whose it is', async () => {
  const [{ session_id } = { session_id: '' }] = await sessionsOf(carla.id)
  const revoke = (id: string) => admin.client.users.revokeSession({ params: { id, session_id } }).then(codeOf)
  expect(await revoke(bert.id)).toBe('SESSION_NOT_FOUND')
  expect(await me(carla.visitor)).toBe('ok')
  expect(await revoke(carla.id)).toBe('ok')
  expect(await me(carla.visitor)).toBe('SESSION_EXPIRED')
  expect(await revoke(carla.id)).toBe('SESSION_NOT_FOUND')
})

test('ending all of them voids the login tokens that were not used, and leaves everybody else alone', async () => {
  const again = await buildSignedIn(server, 'bert', PASSWORD)
  const login_token = await makeLoginToken(server, Number(bert.id))
  dataOf(await admin.client.users.revokeSessions({ params: { id: bert.id } }))
  expect([await me(bert.visitor), await me(again), await me(admin)]).toEqual([
    'SESSION_EXPIRED',
    'SESSION_EXPIRED',
    'ok',
  ])
  expect(await sessionsOf(bert.id)).toEqual([])
  const late = await buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })
  expect(codeOf(late)).toBe('LOGIN_TOKEN_INVALID')
})
