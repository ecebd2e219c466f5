import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, buildVisitor, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'

const PASSWORD = 'wooden quiet lamp'
const ROOT = join(import.meta.dirname, '../..')

let server: TestServer
let admin: Visitor
let bert: number

beforeAll(async () => {
  server = await startTestServer()
  admin = await buildSuperuser(server)
  const wiki = await createUser(admin, { username: 'wiki', password: PASSWORD, permissions: ['LOGIN_TOKENS'] })
  bert = await createUser(admin, { username: 'bert', email: 'bert@example.org', manager_id: wiki })
})
afterAll(() => server.end())

const allow = async (...redirect_origins: string[]) =>
  dataOf(await admin.client.settings.change({ body: { redirect_origins } }))
const redeem = (login_token: string) =>
  buildVisitor(server.url).client.auth.login({ body: { login_type: 'login_token', login_token } })

describe('the example application', () => {
  let app: ChildProcess
  let url: string
  beforeAll(async () => {
    app = spawn(process.execPath, [join(ROOT, 'examples/lan-app/server.mjs')], {
      env: {
        ...process.env,
        LATCHKEY_URL: server.url,
        LATCHKEY_USER: 'wiki',
        LATCHKEY_PASSWORD: PASSWORD,
        LOGIN_USER_ID: String(bert),
        PORT: '0',
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    if (!app.stdout) throw new Error('a child without output')
    const [line] = await once(createInterface(app.stdout), 'line')
    url = String(line).replace('Listening on ', '')
    await allow(url)
  })
  afterAll(() => app.kill())

  const go = () => fetch(`${url}/go`, { redirect: 'manual' })

  test('offers a link, sends the browser through Latchkey and greets whoever comes back', async () => {
    expect(await (await fetch(url)).text()).toContain('href="/go"')
    const sent = await go()
    expect(sent.status).toBe(303)
    expect(sent.headers.get('cache-control')).toBe('no-store')
    const [page, token = ''] = sent.headers.get('location')?.split('#') ?? []
    expect(page).toBe(`${server.url}/login/token`)
    const { username, redirect_to = '' } = dataOf(await redeem(token))
    expect([username, redirect_to]).toEqual(['bert', `${url}/back`])
    expect(await (await fetch(redirect_to)).text()).toContain('Welcome back')
    expect(codeOf(await redeem(token))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('signs in anew when its session is no longer fresh, and leaves one session behind, not two', async () => {
    server.clock.advance(15 * 60_000 + 1)
    expect((await go()).status).toBe(303)
    const wiki = await server.storage.users.findByName('wiki')
    expect(await server.storage.sessions.listLive(wiki?.user_id ?? 0, server.clock(), 0)).toHaveLength(1)
  })

  test('says no more than that it does not work, when Latchkey refuses', async () => {
    await allow()
    const refused = await go()
    expect(refused.status).toBe(502)
    expect(await refused.text()).not.toMatch(/REDIRECT|token/i)
  })
})

describe('the guide for applications', () => {
  test('has commands that work in their order, as they are written', async () => {
    await allow('http://wiki.lan:3000')
    const guide = await readFile(join(ROOT, 'docs/login-tokens.md'), 'utf8')
    const commands = [...guide.matchAll(/```sh\n(.*?)```/gs)].map(([, lines = '']) => lines)
    // In place of the real one, which not every machine has.
    const jq = `jq() { "$NODE" -e 'let o=JSON.parse(require("fs").readFileSync(0));for(const k of process.argv[2].split(".").slice(1))o=o[k];console.log(o)' -- "$@"; }`
    const script = commands.filter((lines) => !lines.includes('lan-app')).join('echo\n')
    const { stdout } = await promisify(execFile)('sh', ['-euc', `${jq}\n${script}`], {
      env: {
        ...process.env,
        NODE: process.execPath,
        LATCHKEY: server.url,
        WIKI_PASSWORD: PASSWORD,
        PERSON: String(bert),
      },
    })
    const lines = stdout.split('\n').filter(Boolean)
    const url = lines.find((line) => line.startsWith('http'))
    const [byMail, shown, deleted] = lines
      .flatMap((line) => line.replaceAll('}{"status"', '}\n{"status"').split('\n'))
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line))
    expect(url).toMatch(new RegExp(`^${server.url}/login/token#[\\w-]{43}$`))
    expect(byMail).toMatchObject({ status: 'ok', data: { login_user_id: bert, status: 'active' } })
    expect(shown).toMatchObject({
      status: 'ok',
      data: { status: 'active', reason: 'wiki', redirect_to: 'http://wiki.lan:3000/back' },
    })
    expect(deleted).toMatchObject({ status: 'ok', data: { status: 'revoked', uuid: shown.data.uuid } })
  })
})
