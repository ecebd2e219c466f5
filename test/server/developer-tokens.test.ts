import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { composeDeveloperToken } from '../../server/domain/developer-tokens.ts'
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
import { programWith } from './programs.ts'

const PASSWORD = 'wooden quiet lamp'
const TEMPORARY = 'Temp-4711-hearth'
const NEW = 'tall grass at noon'
const DAY = 86_400_000

let server: TestServer
let admin: Visitor
let bert: Visitor
let id: number
beforeEach(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  id = await createUser(admin, { username: 'bert', password: PASSWORD })
  bert = await buildSignedIn(server, 'bert', PASSWORD)
})
afterEach(() => server.end())

type Asked = NonNullable<Parameters<Visitor['client']['auth']['createDeveloperToken']>[0]>['body']
const create = (body: Asked = {}, by = bert) => by.client.auth.createDeveloperToken({ body })
const make = async (body: Asked = {}, by = bert) => dataOf(await create(body, by)).token
const list = async (by = bert) => dataOf(await by.client.auth.developerTokens()).tokens
const revoke = (token_prefix: string, by = bert) => by.client.auth.revokeDeveloperToken({ params: { token_prefix } })
/** What a program with this token is told. */
const worth = async (token: string) => codeOf(await programWith(server, token).client.auth.me())
const at = (time: number) => new Date(time).toISOString()

describe('making a developer token of a local account', () => {
  test('shows it once: eight public characters, a dot and a secret that no list holds', async () => {
    const { token, ...row } = dataOf(await create({ name: '  Backup of the wiki ' }))
    expect(token).toMatch(/^[\w-]{8}\.[\w-]{43}$/)
    expect(row).toEqual({
      prefix: token.slice(0, 8),
      name: 'Backup of the wiki',
      created_at: at(server.clock()),
      expires_at: at(server.clock() + 90 * DAY),
      last_used_at: null,
      did: null,
      stops_working_on: at(server.clock() + 90 * DAY),
      needs_sign_in: false,
    })
    const { data } = await bert.http.get('/api/auth/developer-tokens')
    expect(data.data.tokens).toEqual([row])
    expect(JSON.stringify(data)).not.toContain(token.slice(9))
    expect(await worth(token)).toBe('ok')
  })

  test.each([
    ...[0, -1, 366, 1.5, '30', null].map((expires_in_days) => ({ expires_in_days })),
    ...['', '   ', 'a'.repeat(61), 'line\nbreak', 'nul\0', 5, null].map((name) => ({ name })),
    { scope: 'all' },
  ])('is refused %j', async (body) => {
    const { status, data } = await bert.http.post('/api/auth/developer-tokens', body)
    expect([status, data.error]).toEqual([400, 'INVALID_JSON_SCHEMA'])
    expect(await list()).toEqual([])
  })

  test('wants a proof of the password that is not older than a quarter of an hour', async () => {
    server.clock.advance(15 * 60_000 + 1)
    expect(codeOf(await create())).toBe('REAUTH_REQUIRED')
    dataOf(await bert.client.auth.reauth({ body: { password: PASSWORD } }))
    expect(codeOf(await create())).toBe('ok')
  })

  test('is not for the startup token, which lets somebody back in and leaves no keys behind', async () => {
    const visitor = buildVisitor(server.url)
    const temporary_token = server.mintStartupToken()
    dataOf(await visitor.client.auth.login({ body: { login_type: 'temporary_token', temporary_token } }))
    expect(codeOf(await create({}, visitor))).toBe('ACCESS_DENIED')
    await server.storage.users.edit(1, { did: 'did:plc:abcdefghijklmnopqrstuvwx' }, server.clock())
    expect(codeOf(await visitor.client.auth.startDeveloperToken({ body: {} }))).toBe('ACCESS_DENIED')
  })

  test('stops at fifty, however many are made at once, and an end makes room', async () => {
    const codes = (await Promise.all(Array.from({ length: 60 }, () => create({ expires_in_days: 1 })))).map(codeOf)
    expect(codes.filter((code) => code === 'ok')).toHaveLength(50)
    expect(new Set(codes)).toEqual(new Set(['ok', 'TOO_MANY_ACTIVE']))
    dataOf(await revoke((await list())[0]?.prefix ?? ''))
    expect(codeOf(await create())).toBe('ok')
    expect(codeOf(await create())).toBe('TOO_MANY_ACTIVE')
    expect(codeOf(await create({}, admin))).toBe('ok')
  })

  test('leaves it nowhere: not in the database, not in the log', async () => {
    const token = await make()
    expect(await worth(token)).toBe('ok')
    expect(await worth(`${token.slice(0, -1)}~`)).toBe('UNAUTHENTICATED')
    await server.stop()
    const files = (await readdir(server.directory, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    )
    for (const { parentPath, name } of files)
      expect((await readFile(join(parentPath, name))).includes(token.slice(9, -1)), name).toBe(false)
    server = await startTestServer({ directory: server.directory, clock: server.clock })
    expect(await worth(token)).toBe('ok')
  })
})

describe('a developer token', () => {
  test('ends on its day, to the millisecond', async () => {
    const [short, long] = [await make({ expires_in_days: 1 }), await make({ expires_in_days: 365 })]
    server.clock.advance(DAY - 1)
    expect(await worth(short)).toBe('ok')
    server.clock.advance(1)
    expect(await worth(short)).toBe('SESSION_EXPIRED')
    server.clock.advance(364 * DAY - 1)
    expect(await worth(long)).toBe('ok')
    server.clock.advance(1)
    expect(await worth(long)).toBe('SESSION_EXPIRED')
  })

  test('has its last use in the list, from the first on', async () => {
    const token = await make()
    await make()
    server.clock.advance(1000)
    expect((await list()).map(({ last_used_at }) => last_used_at)).toEqual([null, null])
    expect(await worth(token)).toBe('ok')
    const used = async () => (await list()).find(({ prefix }) => token.startsWith(prefix))?.last_used_at
    await expect.poll(used).toBe(at(server.clock()))
    server.clock.advance(60_000)
    expect(await worth(token)).toBe('ok')
    await expect.poll(used).toBe(at(server.clock()))
  })

  test('is listed to its owner alone, the newest first, until it ends', async () => {
    await make({ name: 'first', expires_in_days: 1 })
    server.clock.advance(1000)
    const token = await make({ name: 'second' })
    await make({ name: 'of ann' }, admin)
    const names = async (by = bert) => (await list(by)).map(({ name }) => name)
    expect(await names()).toEqual(['second', 'first'])
    expect(await names(programWith(server, token))).toEqual(['second', 'first'])
    expect(dataOf(await bert.client.auth.sessions()).sessions).toHaveLength(1)
    server.clock.advance(DAY - 1000)
    expect(await names(programWith(server, token))).toEqual(['second'])
  })
})

describe('revoking one', () => {
  test.each([
    ['its eight characters', (token: string) => token.slice(0, 8)],
    ['the whole of it', (token: string) => token],
  ])('by %s ends it at once, and only it', async (_by, named) => {
    const [token, other] = [await make(), await make()]
    dataOf(await revoke(named(token)))
    expect(await worth(token)).toBe('SESSION_EXPIRED')
    expect(await worth(other)).toBe('ok')
    expect(codeOf(await revoke(named(token)))).toBe('TOKEN_NOT_FOUND')
    expect(await list()).toHaveLength(1)
  })

  test('finds none by another secret, by a part of it, by fewer characters, or of somebody else', async () => {
    const token = await make()
    const wrong = [
      `${token.slice(0, 9)}${'x'.repeat(43)}`,
      token.slice(0, 12),
      `${token}x`,
      'x'.repeat(8),
      '%00'.repeat(8),
    ]
    for (const named of wrong) expect([named, codeOf(await revoke(named))]).toEqual([named, 'TOKEN_NOT_FOUND'])
    for (const named of [token.slice(0, 7), '1', 'x'.repeat(65)])
      expect([named, codeOf(await revoke(named))]).toEqual([named, 'NOT_FOUND'])
    for (const named of [token, token.slice(0, 8)]) expect(codeOf(await revoke(named, admin))).toBe('TOKEN_NOT_FOUND')
    expect(await worth(token)).toBe('ok')
  })

  test('never reaches a session, whatever is named', async () => {
    const [session] = dataOf(await bert.client.auth.sessions()).sessions
    expect(codeOf(await revoke(session?.session_id ?? ''))).toBe('TOKEN_NOT_FOUND')
    expect(codeOf(await bert.client.auth.me())).toBe('ok')
  })

  test('ends neither of two with the same beginning, until one is named whole', async () => {
    const user = (await server.storage.users.find(id)) ?? expect.fail('no such user')
    const random = (bytes: number) =>
      bytes === 6 ? Buffer.alloc(6, 7) : Buffer.from(crypto.getRandomValues(new Uint8Array(bytes)))
    const asked = { name: null, days: 1, auth_source: 'password' } as const
    const from = { ip: '127.0.0.1', user_agent: '', loopback: true, at_machine: true }
    const deps = { storage: server.storage, clock: server.clock, random }
    const [one, two] = [composeDeveloperToken(deps, user, asked, from), composeDeveloperToken(deps, user, asked, from)]
    for (const { row } of [one, two]) await server.storage.developerTokens.create(row, 50)
    expect(codeOf(await revoke(one.row.prefix))).toBe('AMBIGUOUS_PREFIX')
    expect([await worth(one.token), await worth(two.token)]).toEqual(['ok', 'ok'])
    dataOf(await revoke(one.token))
    expect([await worth(one.token), await worth(two.token)]).toEqual(['SESSION_EXPIRED', 'ok'])
    expect(codeOf(await revoke(two.row.prefix))).toBe('ok')
  })
})

describe('what ends sessions', () => {
  const params = () => ({ id: String(id) })

  test('leaves tokens: signing out, a changed password, a reset, the end of all sessions', async () => {
    const token = await make()
    dataOf(await bert.client.users.editMe({ body: { password: NEW, current_password: PASSWORD } }))
    expect(await worth(token)).toBe('ok')
    dataOf(await admin.client.users.resetPassword({ params: params(), body: { password: TEMPORARY } }))
    expect(codeOf(await bert.client.auth.me())).toBe('SESSION_EXPIRED')
    // Nor does the password gate hold programs.
    expect(await worth(token)).toBe('ok')
    const gated = await buildSignedIn(server, 'bert', TEMPORARY)
    expect(codeOf(await gated.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    dataOf(await gated.client.users.invalidateTokens())
    expect(await worth(token)).toBe('ok')
  })

  test('ends tokens with a reset that says so', async () => {
    const token = await make()
    const body = { password: TEMPORARY, revoke_developer_tokens: true }
    dataOf(await admin.client.users.resetPassword({ params: params(), body }))
    expect(await worth(token)).toBe('SESSION_EXPIRED')
  })

  test('ends tokens with the account, and disabling is not undone by enabling', async () => {
    const token = await make()
    const enable = async (enabled: boolean) =>
      dataOf(await admin.client.users.edit({ params: params(), body: { enabled } }))
    await enable(false)
    expect(await worth(token)).toBe('SESSION_EXPIRED')
    await enable(true)
    expect(await worth(token)).toBe('SESSION_EXPIRED')
    const another = await make({}, await buildSignedIn(server, 'bert', PASSWORD))
    dataOf(await admin.client.users.remove({ params: params() }))
    expect(await worth(another)).toBe('UNAUTHENTICATED')
  })
})
