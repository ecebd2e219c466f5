import { cp, readFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reachServer, ServerSilent, type Channel } from '../../server/control/channel.ts'
import { findPlace, type Notice, readNotice, writeNotice } from '../../server/control/notice.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, buildVisitor, codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'

let server: TestServer
let ann: Visitor
let notice: Notice
beforeAll(async () => {
  server = await startTestServer()
  ann = await buildSuperuser(server)
  notice = (await readNotice(server.directory)) ?? expect.fail('there is no control.json')
})
afterAll(() => server.end())

async function channel(): Promise<Channel> {
  return (await reachServer(server.directory)) ?? expect.fail('the server cannot be reached')
}

/** A request that the client would never make. */
function ask(path: string, body: string, authorization: string | undefined, method = 'POST') {
  return new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const headers = authorization === undefined ? {} : { Authorization: authorization }
    const asking = request({ socketPath: notice.path, path, method, headers, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (part: Buffer) => (text += part.toString()))
      answer.on('end', () => resolve({ status: answer.statusCode, text }))
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

describe('the channel', () => {
  test('is for the owner alone: socket and notice are 0600, and every request needs the secret', async () => {
    expect((await stat(join(server.directory, 'control.json'))).mode & 0o777).toBe(0o600)
    expect((await stat(notice.path)).mode & 0o777).toBe(0o600)
    expect(notice.pid).toBe(process.pid)
    const wrong = `${notice.secret.slice(0, -1)}${notice.secret.endsWith('A') ? 'B' : 'A'}`
    for (const authorization of [
      undefined,
      '',
      'Bearer ',
      `Bearer ${wrong}`,
      `Bearer ${notice.secret}x`,
      notice.secret,
    ]) {
      const { status, text } = await ask('/startup-token', '{}', authorization)
      expect([authorization, status]).toEqual([authorization, 401])
      expect(text).not.toContain(notice.secret)
    }
    expect(dataOf(await ann.client.auth.setupStatus()).temporary_login_token_enabled).toBe(false)
  })

  test('knows its verbs and their input, and nothing else', async () => {
    const ours = `Bearer ${notice.secret}`
    expect((await ask('/constructor', '{}', ours)).status).toBe(404)
    expect((await ask('/', '{}', ours)).status).toBe(404)
    expect((await ask('/status', '', ours, 'GET')).status).toBe(404)
    expect((await ask('/status', 'not json', ours)).status).toBe(400)
    expect((await ask('/user-list', '{"limit":"5"}', ours)).status).toBe(400)
    expect((await ask('/user-list', '{"limit":5,"more":1}', ours)).status).toBe(400)
    expect((await ask('/status', ' '.repeat(70_000), ours)).status).toBe(413)
  })

  test('is on no network', async () => {
    for (const path of ['/status', '/startup-token']) {
      const answer = await ann.http.post(path, {}, { headers: { Authorization: `Bearer ${notice.secret}` } })
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }
  })

  test('is gone with its server; what a killed server left is recognised, and replaced by the next', async () => {
    const other = await startTestServer()
    const left = await readNotice(other.directory)
    await other.stop()
    expect(await readNotice(other.directory)).toBeUndefined()
    if (left) await writeNotice(other.directory, left)
    expect(await reachServer(other.directory)).toBeUndefined()
    await writeFile(join(other.directory, 'control.sock'), 'in the way')
    const next = await startTestServer({ directory: other.directory })
    expect(await reachServer(other.directory)).toBeDefined()
    await next.end()
  })

  test('is not reached through a copy of the data directory, and a server in the copy has its own', async () => {
    const original = await startTestServer()
    const copy = `${original.directory}-copy`
    await cp(original.directory, copy, { recursive: true, filter: (path) => !path.endsWith('.sock') })
    expect(await readNotice(copy)).toBeUndefined()
    expect(await reachServer(copy)).toBeUndefined()
    const second = await startTestServer({ directory: copy })
    expect((await (await reachServer(copy))?.acts.status({}))?.url).toBe(second.url)
    await second.end()
    expect((await (await reachServer(original.directory))?.acts.status({}))?.url).toBe(original.url)
    await original.end()
  })

  test('that takes requests and never answers is not waited for without end', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'latchkey-silent-'))
    const path = join(directory, 'control.sock')
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(path, resolve))
    await writeNotice(directory, { ...notice, path, directory })
    const patience = { status: 50, backup: 50, other: 50 }
    await expect(reachServer(directory, patience)).rejects.toBeInstanceOf(ServerSilent)
    silent.closeAllConnections()
    silent.close()
    await rm(directory, { recursive: true, force: true })
  })

  test('counts as there when the server answers that it is not well', async () => {
    const other = await startTestServer()
    const { ping } = other.storage
    other.storage.ping = () => Promise.reject(new Error('the database is away'))
    const { acts } = (await reachServer(other.directory)) ?? expect.fail('the server cannot be reached')
    expect(await acts.status({})).toMatchObject({ storage: 'unavailable', url: other.url })
    other.storage.ping = ping
    other.storage.users.waysIn = () => Promise.reject(new Error('the database is away'))
    expect(await reachServer(other.directory)).toBeDefined()
    await other.end()
  })

  test('listens in a folder of its own where the path of the data directory is too long for a socket', async () => {
    const deep = join(await mkdtemp(join(tmpdir(), 'latchkey-deep-')), 'x'.repeat(100))
    const far = await startTestServer({ directory: deep })
    const { path } = (await readNotice(deep)) ?? expect.fail('there is no control.json')
    expect(path.startsWith(deep)).toBe(false)
    expect((await stat(join(path, '..'))).mode & 0o777).toBe(0o700)
    expect((await (await reachServer(deep))?.acts.status({}))?.url).toBe(far.url)
    await far.end()
    await expect(stat(join(path, '..'))).rejects.toThrow('ENOENT')
    await rm(join(deep, '..'), { recursive: true, force: true })
  })

  test('on Windows is a pipe with a name that nobody can guess', async () => {
    const names = await Promise.all([findPlace('C:\\data', 'win32'), findPlace('C:\\data', 'win32')])
    for (const { path } of names) expect(path).toMatch(/^\\\\\.\\pipe\\latchkey-[0-9a-f]{32}$/)
    expect(names[0]?.path).not.toBe(names[1]?.path)
  })
})

describe('a verb', () => {
  /** The newest entry of this event. */
  async function audited(event: 'user_created' | 'password_reset' | 'login_token_created' | 'startup_token_minted') {
    const { items } = dataOf(await ann.client.audit.list({ query: { event } }))
    return items[0] ?? expect.fail(`${event} is not in the audit`)
  }

  test('makes a startup token that signs the superuser in, once', async () => {
    const { acts } = await channel()
    const { token } = await acts['startup-token']({})
    const visitor = buildVisitor(server.url)
    const body = { login_type: 'temporary_token' as const, temporary_token: token }
    expect(dataOf(await visitor.client.auth.login({ body })).username).toBe(ADMIN.username)
    expect(codeOf(await visitor.client.auth.login({ body }))).toBe('TEMPORARY_TOKEN_INVALID')
    expect(await audited('startup_token_minted')).toMatchObject({ detail: { via: 'command line' } })
  })

  test('makes a user with a temporary password, and the audit says that it was the command line', async () => {
    const { acts } = await channel()
    const made = await acts['user-create']({ username: 'bob', permissions: ['AUDIT_LOG'], email: 'bob@example.org' })
    expect(made.password).toMatch(/^[\w.:!?-]{16}$/)
    const bob = await buildSignedIn(server, 'bob', made.password ?? '')
    expect(codeOf(await bob.client.auth.me())).toBe('PASSWORD_CHANGE_REQUIRED')
    expect(await audited('user_created')).toMatchObject({
      ...{ actor_id: null, actor: 'command line', target: 'bob' },
      detail: { fields: ['username', 'email', 'permissions'], rights: { permissions: ['AUDIT_LOG'] } },
    })
    await expect(acts['user-create']({ username: 'bob' })).rejects.toMatchObject({ code: 'USERNAME_TAKEN' })
    await expect(acts['user-create']({ username: 'bob2', password: 'password' })).rejects.toMatchObject({
      code: 'PASSWORD_UNACCEPTABLE',
    })
  })

  test('resets a password, a superuser’s too; his sessions end and the audit says so', async () => {
    const { acts } = await channel()
    await acts['user-create']({ username: 'sue', superuser: true, password: 'wooden quiet lamp' })
    const sue = await buildSignedIn(server, 'sue', 'wooden quiet lamp')
    const done = await acts['user-reset']({ username: 'SUE', revoke_developer_tokens: false, expires_hours: 1 })
    expect(Date.parse(done.expires ?? '')).toBe(server.clock() + 3_600_000)
    expect(codeOf(await sue.client.auth.me())).toBe('SESSION_EXPIRED')
    expect(codeOf(await (await buildSignedIn(server, 'sue', done.password ?? '')).client.auth.me())).toBe(
      'PASSWORD_CHANGE_REQUIRED',
    )
    expect(await audited('password_reset')).toMatchObject({ actor: 'command line', target: 'sue' })
    const absent = acts['user-reset']({ username: 'nobody', revoke_developer_tokens: false })
    await expect(absent).rejects.toMatchObject({ code: 'USER_NOT_FOUND' })
  })

  test('makes a login token under the same rules as the page: ten that wait, allowed places to go', async () => {
    const { acts } = await channel()
    await acts['user-create']({ username: 'tom' })
    const form = { username: 'tom', expires_in: 60 }
    const elsewhere = acts['login-token-create']({ ...form, redirect_to: 'https://evil.example/' })
    await expect(elsewhere).rejects.toMatchObject({ code: 'REDIRECT_NOT_ALLOWED' })
    const made = await acts['login-token-create']({ ...form, reason: 'help desk' })
    expect(made.login_url).toBe(`${server.url}/login/token#${made.token}`)
    const body = { login_type: 'login_token' as const, login_token: made.token }
    expect(dataOf(await buildVisitor(server.url).client.auth.login({ body })).username).toBe('tom')
    expect(await audited('login_token_created')).toMatchObject({ actor: 'command line', target: 'tom' })
    for (let index = 0; index < 10; index++) await acts['login-token-create'](form)
    await expect(acts['login-token-create'](form)).rejects.toMatchObject({ code: 'TOO_MANY_ACTIVE' })
  })

  test('says how the server is, and lists users without their hashes', async () => {
    const { acts } = await channel()
    expect(await acts.status({})).toMatchObject({ engine: 'embedded', storage: 'ok', set_up: true, url: server.url })
    const { items } = await acts['user-list']({ query: 'ann', limit: 10 })
    expect(items.map(({ username }) => username)).toEqual(['ann'])
    expect(JSON.stringify(items)).not.toContain('argon2')
  })

  test('leaves no secret in the log', async () => {
    const log = await readFile(join(server.directory, 'latchkey.log'), 'utf8')
    expect(log).not.toContain(notice.secret)
    expect(log).not.toContain('wooden quiet lamp')
    expect(log).toContain('"event":"login_token_created"')
  })
})
