import { readFile } from 'node:fs/promises'
import type { ImportRow, ImportStatus } from '../../api/user-imports.ts'
import { type Child, startLatchkey } from '../child.ts'
import type { Bench, Figure, Section } from '../figure.ts'
import { type Connection, openConnection, requestOf } from '../load.ts'
import { copyOf, PASSWORD, seeded, usernameOf } from '../seed.ts'
import { largest, median, percentile } from '../statistics.ts'

const ROWS = 100_000
/** A part's body stays below the server's 64 KiB. */
const PART_BYTES = 62_000
const PROBE_EVERY = 10
const SIGN_IN_EVERY = 1_000
const POLL_EVERY = 200

export const importUsers: Section = {
  name: 'import',
  title: 'Import of 100,000 users',
  async run(bench) {
    const seed = await seeded(bench, 1)
    const child = await startLatchkey(copyOf(bench, seed))
    try {
      return await measureImport(bench, child, seed.tokens[0] ?? '')
    } finally {
      await child.stop()
    }
  },
}

/** Imports into a server of which this is a superuser's session, while others use it. */
async function measureImport(bench: Bench, child: Child, token: string): Promise<Figure[]> {
  const rows = bench.quick ? ROWS / 10 : ROWS
  const parts = partsOf(rows)
  const before = await memoryOf(child)
  const others = watchOthers(child)
  const client = await openClient(child, token)
  const started = performance.now()
  const { import_id } = await client.post<{ import_id: string }>('/api/v2/users/imports', '')
  const path = `/api/v2/users/imports/${import_id}`
  for (const part of parts) await client.post(`${path}/parts`, part)
  const received = performance.now()
  await client.post(`${path}/check`, '')
  const checked = await client.until(path, 'checked')
  const looked = performance.now()
  await client.post(`${path}/run`, '{"skip_faulty":false}')
  const { imported } = await client.until(path, 'done')
  const done = performance.now()
  const { health, signIns } = await others.stop()
  client.close()
  if (checked.faulty > 0 || imported !== rows) throw new Error(`${imported} of ${rows} users were imported`)
  const after = await memoryOf(child)
  const seconds = (from: number, to: number) => (to - from) / 1000
  return [
    {
      what: `${rows.toLocaleString('en')} users, from the first part to the last user`,
      value: seconds(started, done),
      unit: 's',
      bar: { atMost: 60 },
      note: 'nearly empty database; every user with mail address and display name, every tenth with a password hash and a manager from the file',
    },
    { what: `of which sending (${parts.length} parts)`, value: seconds(started, received), unit: 's' },
    { what: 'of which the check', value: seconds(received, looked), unit: 's' },
    { what: 'of which the run', value: seconds(looked, done), unit: 's' },
    { what: 'GET /api/health meanwhile, median', value: median(health), unit: 'ms' },
    { what: 'GET /api/health meanwhile, p99', value: percentile(health, 0.99), unit: 'ms', bar: { atMost: 100 } },
    { what: 'GET /api/health meanwhile, worst', value: largest(health), unit: 'ms' },
    {
      what: 'a sign-in with a password meanwhile, median',
      value: median(signIns),
      unit: 'ms',
      note: 'one every second; all of them succeeded',
    },
    { what: 'a sign-in with a password meanwhile, worst', value: largest(signIns), unit: 'ms' },
    { what: 'memory of the server before', value: before, unit: 'MB' },
    { what: 'memory of the server after', value: after, unit: 'MB' },
  ]
}

/** The lines of a file as the page sends them: bodies of parts. */
function partsOf(rows: number): string[] {
  const parts: string[] = []
  let lines: string[] = []
  let bytes = 0
  const end = () => {
    parts.push(`{"part":${parts.length},"rows":[${lines.join()}]}`)
    lines = []
    bytes = 0
  }
  for (let index = 0; index < rows; index++) {
    const line = JSON.stringify(lineOf(index))
    if (bytes + line.length > PART_BYTES || lines.length === 1000) end()
    lines.push(line)
    bytes += line.length + 1
  }
  end()
  return parts
}

const HASH = '$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IGhlcmU$LHwOP0xjV0YMzS0UEjpTPmW2dRkTN7EkSAVE3kBYQ0g'

function lineOf(index: number): ImportRow {
  const username = `imported${String(index).padStart(6, '0')}`
  const line = {
    line: index + 2,
    username,
    email: `${username}@people.example`,
    display_name: `Person Number ${index}`,
  }
  if (index % 10 !== 9) return line
  return { ...line, lang: 'de', manager: `imported${String(index - 9).padStart(6, '0')}`, password_hash: HASH }
}

async function openClient(child: Child, token: string) {
  const connection: Connection = await openConnection(child)
  const headers = { Cookie: `latchkey_session=${token}`, Origin: child.url.origin }

  async function call<T>(method: string, path: string, body?: string): Promise<T> {
    const { status, text } = await connection.send(
      requestOf(child.url, { method, path, headers, ...(body ? { body } : {}) }),
    )
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`)
    return JSON.parse(text).data
  }

  return {
    post: <T>(path: string, body: string) => call<T>('POST', path, body),
    async until(path: string, state: ImportStatus['state']): Promise<ImportStatus> {
      for (;;) {
        const status = await call<ImportStatus>('GET', path)
        if (status.state === state) return status
        if (status.state === 'undone') throw new Error(`The import was undone: ${status.reason}`)
        await pause(POLL_EVERY)
      }
    },
    close: () => connection.close(),
  }
}

/** Asks for health and signs in, each on a connection of its own, until it is stopped. */
function watchOthers(child: Child) {
  const health: number[] = []
  const signIns: number[] = []
  const body = JSON.stringify({ username: usernameOf(0), password: PASSWORD })
  const signIn = requestOf(child.url, { method: 'POST', path: '/api/auth/login', body })
  let stopped = false

  async function ask(request: Buffer, every: number, times: number[]): Promise<void> {
    let connection = await openConnection(child)
    while (!stopped) {
      const begun = performance.now()
      const { status, text } = await connection.send(request)
      times.push(performance.now() - begun)
      if (status !== 200) throw new Error(`Refused meanwhile: ${status} ${text}`)
      await pause(every)
      // The server closes a connection that rests.
      if (every >= SIGN_IN_EVERY) {
        connection.close()
        connection = await openConnection(child)
      }
    }
    connection.close()
  }

  const asking = Promise.all([
    ask(requestOf(child.url, { path: '/api/health' }), PROBE_EVERY, health),
    ask(signIn, SIGN_IN_EVERY, signIns),
  ])
  asking.catch(() => {}) // told when it is stopped
  return {
    async stop() {
      stopped = true
      await asking
      return { health, signIns }
    },
  }
}

/** Resident memory in MB, where Linux tells it. */
async function memoryOf({ pid }: Child): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) / 1024
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
