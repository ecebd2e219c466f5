import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UsageError } from '../../server/cli/command.ts'
import { parseServe } from '../../server/cli/serve.ts'
import { openEmbedded } from '../../server/storage/embedded.ts'
import { openStorage } from '../../server/storage/open.ts'
import { ADMIN, buildVisitor, codeOf } from '../helpers/visitor.ts'
import { sendRaw } from './raw.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')

// A process of its own takes its time to start, more so on a machine that is busy.
vi.setConfig({ testTimeout: 60_000 })

let folder: string
let directory: string
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-cli-'))
  directory = join(folder, 'data')
})
afterEach(async () => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  await rm(folder, { recursive: true, force: true })
})

function latchkey(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
  })
  children.push(child)
  const said = { out: '', err: '' }
  child.stdout.on('data', (part: Buffer) => (said.out += part.toString()))
  child.stderr.on('data', (part: Buffer) => (said.err += part.toString()))
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const exited = once(child, 'close').then(([code]) => Number(code))
  return { child, said, exited, line: async () => String((await lines.next()).value) }
}

const serve = (...args: string[]) => latchkey(['serve', '--port', '0', '--data-dir', directory, ...args])

/** Runs to its end; answers exit code and what was said. */
async function run(args: string[], env: Record<string, string> = {}) {
  const { said, exited } = latchkey(args, env)
  return { code: await exited, ...said }
}

describe('serve', () => {
  test('prints address and set-up link and nothing else; keeps data and keys to their owner; ends with 0 when told to', async () => {
    const server = serve()
    const [, url = ''] = /^Latchkey ready: (http:\/\/127\.0\.0\.1:\d+)$/.exec(await server.line()) ?? []
    const link = await server.line()
    expect(link).toMatch(/^Setup link: http:\/\/127\.0\.0\.1:\d+\/setup#[\w-]{43}$/)
    expect(link).toContain(url)
    const { client } = buildVisitor(url)
    expect(await client.auth.setupStatus()).toMatchObject({ data: { temporary_login_token_enabled: false } })
    expect((await stat(directory)).mode & 0o777).toBe(0o700)
    expect((await stat(join(directory, 'keyring.json'))).mode & 0o777).toBe(0o600)
    const body = { setup_token: link.split('#')[1] ?? '', ...ADMIN, confirm_password: ADMIN.password }
    expect(codeOf(await client.auth.setup({ body }))).toBe('ok')
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    expect(server.said.out.trimEnd().split('\n')).toHaveLength(2)
    expect(server.said.err).toBe('')
    expect(await readFile(join(directory, 'latchkey.log'), 'utf8')).toContain('"event":"stopped"')

    const again = serve('--print-login-token')
    expect(await again.line()).toMatch(/^Latchkey ready: /)
    const token = await again.line()
    expect(token).toMatch(/^Startup token: [\w-]{43} \(one use, until this process ends\)$/)
    again.child.kill('SIGINT')
    expect(await again.exited).toBe(0)
    expect(await readFile(join(directory, 'latchkey.log'), 'utf8')).not.toContain(token.split(' ')[2])
  })

  test('with --json prints one object a line', async () => {
    const server = serve('--json', '--print-login-token')
    const lines = [await server.line(), await server.line(), await server.line()].map(
      (line) => JSON.parse(line) as Record<string, string>,
    )
    expect(lines).toEqual([
      { event: 'ready', url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/) },
      {
        event: 'setup_link',
        url: `${lines[0]?.['url']}/setup#${lines[1]?.['token']}`,
        token: expect.stringMatching(/^[\w-]{43}$/),
      },
      { event: 'startup_token', token: expect.stringMatching(/^[\w-]{43}$/) },
    ])
  })

  test('refuses a data directory that another server holds, with a clear line and exit code 3', async () => {
    const first = serve()
    await first.line()
    const second = await run(['serve', '--port', '0', '--data-dir', directory])
    expect(second).toMatchObject({ code: 3, out: '' })
    expect(second.err).toMatch(/^DATA_DIR_LOCKED: .+\n$/)
    expect(second.err).toContain(directory)
    first.child.kill('SIGTERM')
    expect(await first.exited).toBe(0)
  })

  test('refuses a port that is taken, with exit code 5', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = String((other.address() as AddressInfo).port)
    const { code, err } = await run(['serve', '--port', taken, '--data-dir', directory])
    other.close()
    expect([code, err]).toEqual([5, expect.stringMatching(/^PORT_UNAVAILABLE: .*--port/)])
  })

  test('refuses a data directory that is a file, with exit code 4', async () => {
    await writeFile(directory, 'in the way')
    const { code, err } = await run(['serve', '--port', '0', '--data-dir', directory])
    expect([code, err]).toEqual([4, expect.stringMatching(/^DATA_DIR_UNREADABLE: .*\n$/)])
    expect(await readFile(directory, 'utf8')).toBe('in the way')
  })

  test('refuses a database of a newer program, with exit code 4, and leaves it as it is', async () => {
    await makeNewer()
    const { code, err } = await run(['serve', '--port', '0', '--data-dir', directory])
    expect([code, err]).toEqual([4, expect.stringMatching(/^DATABASE_NEWER: .*\n$/)])
  })

  test('refuses a damaged keyring, with exit code 4, and never overwrites it', async () => {
    await createKeyring()
    for (const text of ['not json', '{"version":1,"signing":[],"vault":"","pepper":""}']) {
      await writeFile(join(directory, 'keyring.json'), text)
      const { code, err } = await run(['serve', '--port', '0', '--data-dir', directory])
      expect([code, err]).toEqual([4, expect.stringMatching(/^KEYRING_UNREADABLE: .*\n$/)])
      expect(await readFile(join(directory, 'keyring.json'), 'utf8')).toBe(text)
    }
  })

  test('answers what is under way before it ends, then lets go at once', async () => {
    const server = serve('--json')
    const { url } = JSON.parse(await server.line()) as { url: string }
    const visitor = buildVisitor(url)
    const logins = Array.from({ length: 20 }, (_, at) =>
      visitor.client.auth.login({ body: { username: `n-${at}`, password: 'x' } }),
    )
    await buildVisitor(url).http.get('/api/health')
    const started = performance.now()
    server.child.kill('SIGTERM')
    expect((await Promise.all(logins)).map(codeOf)).toEqual(Array(20).fill('INCORRECT_CREDENTIALS'))
    expect(await server.exited).toBe(0)
    // Node's own patience with a connection kept alive would be five seconds and more.
    expect(performance.now() - started).toBeLessThan(5000)
  })

  test('does not wait for ever for a client that never finishes its request', async () => {
    const server = serve('--json')
    const { url } = JSON.parse(await server.line()) as { url: string }
    const stuck = sendRaw(
      url,
      `POST /api/auth/login HTTP/1.1\r\nHost: ${new URL(url).host}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    )
    await buildVisitor(url).http.get('/api/health')
    server.child.kill('SIGTERM')
    expect(await server.exited).toBe(0)
    await stuck
  })
})

describe('what was typed', () => {
  test.each([
    [['--nonsense']],
    [['extra']],
    [['--port', 'x']],
    [['--port', '65536']],
    [['--port', '-1']],
    [['--port']],
    [['--database', 'mysql://x']],
    [['--public-url', 'example.org']],
    [['--public-url', 'https://example.org/path']],
    [['--trusted-proxy', 'localhost']],
    [['--trusted-proxy', '10.0.0.0/33']],
    [['--trusted-proxy', '10.0.0.0/8/8']],
    [['--log-level', 'loud']],
  ])('and cannot be understood is named in one line: %j', (args) => {
    expect(() => parseServe(args)).toThrow(UsageError)
    expect(() => parseServe(args)).toThrow(/^[^\n]+$/)
  })

  test('and is right is taken', () => {
    const { flags, json } = parseServe([
      '--port=0',
      '--trusted-proxy',
      '10.0.0.0/8',
      '--trusted-proxy',
      '::1',
      '--public-url',
      'https://a.example/',
      '--json',
    ])
    expect(json).toBe(true)
    expect(flags).toMatchObject({ port: 0, trustedProxies: ['10.0.0.0/8', '::1'], publicUrl: 'https://a.example' })
  })

  test.each([[['serve', '--port', 'x']], [['launch']]])(
    'wrongly ends with exit code 2 and where to look: %j',
    async (args) => {
      const { code, out, err } = await run(args)
      expect([code, out]).toEqual([2, ''])
      expect(err).toMatch(/^[^\n]+See latchkey( serve)? --help\.\n$/)
    },
  )

  test('asking for help is helped', async () => {
    expect(await run(['serve', '--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('latchkey serve'),
      err: '',
    })
  })

  test('asking for the version gets it', async () => {
    expect((await run(['--version'])).out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test('in a variable counts where no flag says otherwise', async () => {
    const server = latchkey(['serve', '--port', '0'], {
      LATCHKEY_DATA_DIR: directory,
      LATCHKEY_LOG_FILE: join(folder, 'own.log'),
    })
    await server.line()
    expect((await stat(directory)).isDirectory()).toBe(true)
    expect((await stat(join(folder, 'own.log'))).isFile()).toBe(true)
  })
})

/** A database as a later program would leave it. */
async function makeNewer(): Promise<void> {
  await (await openStorage({ directory, log: () => {} })).close()
  const engine = await openEmbedded({ directory, log: () => {} })
  const db = new Kysely<object>({ dialect: engine.dialect })
  await sql`update meta set value = '999' where name = 'version'`.execute(db)
  await db.destroy()
}

async function createKeyring(): Promise<void> {
  const server = serve()
  await server.line()
  server.child.kill('SIGTERM')
  await server.exited
}
