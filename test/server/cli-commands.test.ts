import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { runCommandLine } from '../../server/cli/run.ts'
import { commands } from '../../server/cli/table.ts'
import { removeNotice } from '../../server/control/notice.ts'
import { ADMIN, buildVisitor, codeOf, dataOf } from '../helpers/visitor.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')

// A process of its own takes its time to start, more so on a machine that is busy.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

let folder: string
let directory: string
let passphrase: string
let server: { child: ChildProcess; url: string }
const secrets: string[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-commands-'))
  directory = join(folder, 'data')
  passphrase = join(folder, 'passphrase')
  await writeFile(passphrase, 'seven quiet lamps at noon\n')
  server = await serve()
  const setup_token = secrets.at(-1) ?? ''
  const body = { setup_token, ...ADMIN, confirm_password: ADMIN.password }
  dataOf(await buildVisitor(server.url).client.auth.setup({ body }))
})
afterAll(async () => {
  await end()
  await rm(folder, { recursive: true, force: true })
})

async function serve(data = directory) {
  const child = latchkey(['serve', '--port', '0', '--json', '--data-dir', data])
  const lines = createInterface(child.stdout ?? expect.fail())[Symbol.asyncIterator]()
  const next = async () => JSON.parse(String((await lines.next()).value))
  const { url } = await next()
  if (data === directory && secrets.length === 0) secrets.push((await next()).token)
  return { child, url }
}

async function end(signal: NodeJS.Signals = 'SIGTERM', { child } = server): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.kill(signal)) await once(child, 'exit')
}

function latchkey(args: string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '', HOME: folder } })
}

/** Runs a command to its end in a process of its own. */
async function run(args: string[], input = '') {
  const child = latchkey([...args, '--data-dir', directory])
  const said = { out: '', err: '' }
  child.stdout?.on('data', (part: Buffer) => (said.out += part.toString()))
  child.stderr?.on('data', (part: Buffer) => (said.err += part.toString()))
  child.stdin?.end(input)
  const [code] = await once(child, 'close')
  return { code: Number(code), ...said }
}

async function json(args: string[], input = '') {
  const { code, out, err } = await run([...args, '--json'], input)
  expect([code, err, out.trimEnd().split('\n').length]).toEqual([0, '', 1])
  return JSON.parse(out)
}

/** Runs a command in this process; answers its exit code and what it printed. */
async function inside(args: string[]) {
  const out = vi.spyOn(console, 'log').mockImplementation(() => {})
  const err = vi.spyOn(console, 'error').mockImplementation(() => {})
  const code = await runCommandLine(args)
  const told = { code, out: out.mock.calls.join('\n'), err: err.mock.calls.join('\n') }
  out.mockRestore()
  err.mockRestore()
  return told
}

describe('help', () => {
  test.each(commands.map((command) => [command.name, command] as const))(
    'of %s names everything it takes',
    async (name, command) => {
      const { code, out, err } = await inside([...name.split(' '), '--help'])
      expect([code, err]).toEqual([0, ''])
      expect(out).toContain(`latchkey ${name}`)
      for (const [option, { help }] of Object.entries(command.options)) {
        expect(out).toContain(`--${option}`)
        expect(out).toContain(help)
      }
      expect(Object.keys(command.options)).toContain('json')
      for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(120)
    },
  )

  test('of all names every command and every exit code', async () => {
    for (const args of [[], ['--help'], ['help']]) {
      const { code, out } = await inside(args)
      expect(code).toBe(0)
      for (const { name, summary } of commands) expect(out).toMatch(new RegExp(`latchkey ${name}.* ${summary}`))
      for (let exit = 0; exit <= 7; exit++) expect(out).toMatch(new RegExp(`^  ${exit}  \\S`, 'm'))
    }
    expect((await inside(['user', '--help'])).out).not.toContain('latchkey backup')
  })

  test.each([
    [['user']],
    [['user', 'create']],
    [['user', 'create', 'a', 'b']],
    [['user', 'create', 'UPPER SPACE']],
    [['user', 'create', 'bob', '--permission', 'ALL']],
    [['user', 'create', 'bob', '--expires-hours', '0']],
    [['user', 'create', 'bob', '--expires-hours', 'x']],
    [['user', 'create', 'bob', '--password-stdin', '--temporary']],
    [['user', 'list', '--limit', '201']],
    [['user', 'list', 'bob']],
    [['login-token', 'create', 'bob', '--expires-in', '86401']],
    [['backup']],
    [['restore', 'a', 'b']],
    [['audit', 'verify']],
    [['startup-token', '--nonsense']],
    [['doctor', '--port', '70000']],
  ])('is where wrong usage points to: %j', async (args) => {
    const { code, out, err } = await inside(args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^[^\n]+See latchkey[a-z -]* --help\.$/)
    const asJson = await inside([...args, '--json'])
    expect([asJson.code, JSON.parse(asJson.err).error]).toEqual([2, 'USAGE'])
  })
})

describe('beside a running server', () => {
  test('users are made, reset and listed', async () => {
    const made = await json(['user', 'create', 'bob', '--email', 'bob@example.org', '--permission', 'AUDIT_LOG'])
    secrets.push(made.password)
    expect(made).toMatchObject({ user_id: 2, username: 'bob', expires: expect.any(String) })
    const own = await run(['user', 'create', 'sue', '--superuser', '--password-stdin'], 'wooden quiet lamp\n')
    expect([own.code, own.out]).toEqual([0, 'The user sue (3) was made.\n'])
    secrets.push('wooden quiet lamp')
    const sign = (username: string, password: string) =>
      buildVisitor(server.url).client.auth.login({ body: { username, password } })
    expect(codeOf(await sign('sue', 'wooden quiet lamp'))).toBe('ok')
    expect(dataOf(await sign('bob', made.password)).require_password_change).toBe(true)
    const reset = await run(['user', 'reset', 'bob', '--expires-hours', '-1'])
    const [, password = ''] = /^Temporary password: (\S+)$/m.exec(reset.out) ?? []
    secrets.push(password)
    expect(codeOf(await sign('bob', password))).toBe('ok')
    expect((await json(['user', 'list', '--query', 'bob'])).items).toMatchObject([{ username: 'bob' }])
    const { out } = await run(['user', 'list'])
    const [head = '', ...rows] = out.trimEnd().split('\n')
    expect(rows).toHaveLength(3)
    for (const row of rows) expect(row.slice(head.indexOf('STATE')).startsWith(' ')).toBe(false)
    const twice = await run(['user', 'create', 'bob', '--json'])
    expect([twice.code, twice.out, JSON.parse(twice.err).error]).toEqual([1, '', 'USERNAME_TAKEN'])
  })

  test('a startup token and a login token sign in, once', async () => {
    const { event, token } = await json(['startup-token'])
    expect(event).toBe('startup_token')
    const made = await json(['login-token', 'create', 'sue', '--expires-in', '60', '--redirect-to', '/users'])
    expect(made.login_url).toBe(`${server.url}/login/token#${made.token}`)
    secrets.push(token, made.token)
    const { client } = buildVisitor(server.url)
    const startup = { login_type: 'temporary_token', temporary_token: token } as const
    const link = { login_type: 'login_token', login_token: made.token } as const
    expect(dataOf(await client.auth.login({ body: startup })).username).toBe(ADMIN.username)
    expect(dataOf(await client.auth.login({ body: link })).redirect_to).toBe('/users')
    expect(codeOf(await client.auth.login({ body: link }))).toBe('LOGIN_TOKEN_INVALID')
  })

  test('a backup is made; a restore is refused with exit code 3', async () => {
    const file = join(folder, 'latchkey.age')
    const made = await json(['backup', file, '--passphrase-file', passphrase])
    expect(made).toEqual({ file, bytes: (await stat(file)).size, content: 'everything' })
    const again = await run(['backup', file, '--passphrase-file', passphrase])
    expect([again.code, again.err]).toEqual([1, expect.stringMatching(/^FILE_EXISTS: /)])
    const refused = await run(['restore', file, '--replace', '--passphrase-file', passphrase])
    expect([refused.code, refused.err]).toEqual([3, expect.stringMatching(/^DATA_DIR_LOCKED: /)])
    await writeFile(join(folder, 'short'), 'elevenchars')
    const short = await run(['backup', join(folder, 'x'), '--passphrase-file', join(folder, 'short')])
    expect([short.code, short.err]).toEqual([2, expect.stringContaining('12 characters')])
  })

  test('the doctor finds nothing amiss, and what others could read', async () => {
    const { healthy, findings } = await json(['doctor'])
    expect(healthy).toBe(true)
    const checks = new Set(findings.map(({ check }: { check: string }) => check))
    expect(checks).toEqual(
      new Set([
        'data directory',
        'keyring',
        'database',
        'disk',
        'clock',
        'port',
        'certificate',
        'way back in',
        'leftovers',
      ]),
    )
    await chmod(join(directory, 'keyring.json'), 0o644)
    const { code, out } = await run(['doctor'])
    await chmod(join(directory, 'keyring.json'), 0o600)
    expect([code, out]).toEqual([
      1,
      expect.stringMatching(/^PROBLEM {2}data directory: Others can read .*keyring\.json/m),
    ])
  })

  test('the database is never opened: where the server cannot be asked, the command ends with 3', async () => {
    const notice = await readFile(join(directory, 'control.json'))
    await removeNotice(directory)
    const { code, out, err } = await run(['user', 'list'])
    await writeFile(join(directory, 'control.json'), notice, { mode: 0o600 })
    expect([code, out, err]).toEqual([3, '', expect.stringMatching(/^DATA_DIR_LOCKED: .*\n$/)])
  })

  test('no secret is in the log', async () => {
    const log = await readFile(join(directory, 'latchkey.log'), 'utf8')
    expect(secrets.length).toBeGreaterThan(5)
    for (const secret of [...secrets, 'seven quiet lamps']) expect(log).not.toContain(secret)
  })
})

describe('where no server runs', () => {
  beforeAll(() => end('SIGKILL'))

  test('commands open the house themselves, whatever a killed server left; a startup token wants a server', async () => {
    expect(await readdir(directory)).toContain('control.json')
    const made = await json(['user', 'create', 'tom'])
    expect((await json(['user', 'list', '--query', 'tom'])).items).toMatchObject([{ username: 'tom' }])
    expect(made.password).toEqual(expect.any(String))
    const { code, err } = await run(['startup-token'])
    expect([code, err]).toEqual([7, expect.stringContaining('latchkey serve --print-login-token')])
    const link = await run(['login-token', 'create', 'tom', '--public-url', 'https://a.example'])
    expect([link.code, link.out]).toEqual([
      0,
      expect.stringMatching(/^Login link: https:\/\/a\.example\/login\/token#/),
    ])
    expect((await json(['doctor'])).healthy).toBe(true)
  })

  test('nothing is made where nothing was', async () => {
    const child = latchkey(['user', 'list', '--data-dir', join(folder, 'nowhere')])
    const [code] = await once(child, 'close')
    expect(code).toBe(4)
    expect(await readdir(folder)).not.toContain('nowhere')
  })
})
