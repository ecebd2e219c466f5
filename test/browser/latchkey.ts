import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { ADMIN, buildVisitor, dataOf, type Visitor } from '../helpers/visitor.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')

/** The program as people run it: its own process, its command line, its lines on stdout. */
export interface Latchkey {
  url: string
  directory: string
  setupLink: string
  setupToken: string
  startupToken: string
  /** Ends the process and keeps the data. */
  halt(): Promise<void>
  /** Ends the process and removes the data. */
  stop(): Promise<void>
}

interface Options {
  startupToken?: boolean
  directory?: string
  port?: string
  /** Further words of the command line. */
  flags?: readonly string[]
}

export async function startLatchkey({
  startupToken = false,
  directory,
  port = '0',
  flags = [],
}: Options = {}): Promise<Latchkey> {
  const data = directory ?? (await mkdtemp(join(tmpdir(), 'latchkey-browser-')))
  const words = startupToken ? [...flags, '--print-login-token'] : flags
  const child = spawn(
    process.execPath,
    [MAIN, 'serve', '--port', port, '--data-dir', data, '--json', '--log-level', 'error', ...words],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const said = { ready: '', setup_link: '', startup_token: '', setup_token: '' }
  const gone = once(child, 'exit')

  async function halt(): Promise<void> {
    if (child.exitCode === null) child.kill('SIGTERM')
    await gone
  }

  const lines = createInterface({ input: child.stdout })
  for await (const line of lines) {
    const event: unknown = JSON.parse(line)
    if (!isLine(event)) continue
    if (event.event === 'ready') said.ready = event.url ?? ''
    if (event.event === 'setup_link') Object.assign(said, { setup_link: event.url, setup_token: event.token })
    if (event.event === 'startup_token') said.startup_token = event.token ?? ''
    const settled = said.ready && (directory !== undefined || said.setup_link) && (!startupToken || said.startup_token)
    if (settled) break
  }
  if (!said.ready) throw new Error('Latchkey ended before it was ready.')
  child.stdout.resume()

  return {
    url: said.ready,
    directory: data,
    setupLink: said.setup_link,
    setupToken: said.setup_token,
    startupToken: said.startup_token,
    halt,
    async stop() {
      await halt()
      await rm(data, { recursive: true, force: true })
    },
  }
}

/** Signed in over the wire as the first superuser, whom this makes. */
export async function setUp(latchkey: Latchkey): Promise<Visitor> {
  const visitor = buildVisitor(latchkey.url)
  const body = { setup_token: latchkey.setupToken, ...ADMIN, confirm_password: ADMIN.password }
  dataOf(await visitor.client.auth.setup({ body }))
  return visitor
}

function isLine(value: unknown): value is { event: string; url?: string; token?: string } {
  return typeof value === 'object' && value !== null && 'event' in value
}
