import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createServerKeeper, type ServerProblem } from '../../electron/server-keeper.ts'
import { forkServer } from '../helpers/forked-server.ts'
import { buildVisitor, dataOf } from '../helpers/visitor.ts'

let directory: string
const stops: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-keeper-'))
})
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
  await rm(directory, { recursive: true, force: true })
})

/** A key store that can be told to refuse. */
function buildKeeper() {
  const pids: number[] = []
  const crashes: string[] = []
  const kept: string[] = []
  const store = { refuses: false }
  const keeper = createServerKeeper({
    fork: () => {
      const child = forkServer()
      pids.push(child.pid)
      return child
    },
    keep: async (act, bytes) => {
      kept.push(act)
      if (store.refuses) throw new Error('the key store is locked')
      return Buffer.from(bytes.map((byte) => byte ^ 0x55))
    },
    placed: () => {},
    crashed: (words) => crashes.push(words),
  })
  stops.push(() => keeper.stop())
  const start = (port = 0, keys: 'wrapped' | 'plain' = 'plain') =>
    keeper.start({ port, dataDirectory: directory, keys })
  return { keeper, start, pids, crashes, kept, store }
}

describe('the server in a process of its own', () => {
  test('sets up, mints a startup token that signs in, and after a stop, which is no crash, all of it is there', async () => {
    const { keeper, start, kept, crashes } = buildKeeper()
    const { url, setupToken } = await start()
    const visitor = buildVisitor(url)
    const password = 'correct horse staple'
    dataOf(
      await visitor.client.auth.setup({
        body: { setup_token: setupToken ?? '', username: 'ann', password, confirm_password: password },
      }),
    )
    const token = await keeper.mintStartupToken()
    const other = buildVisitor(url)
    const entered = await other.client.auth.login({ body: { login_type: 'temporary_token', temporary_token: token } })
    expect(dataOf(entered).username).toBe('ann')
    await keeper.stop()
    expect(crashes).toEqual([])
    expect(keeper.isRunning()).toBe(false)
    await expect(keeper.mintStartupToken()).rejects.toThrow('does not run')
    const again = await start()
    expect(again.setupToken).toBeUndefined()
    dataOf(await buildVisitor(again.url).client.auth.login({ body: { username: 'ann', password } }))
    // Not protected: the key store was never asked.
    expect(kept).toEqual([])
  })

  test('keeps its keyring by the key store of the app, and says what to do when that does not open it', async () => {
    const { keeper, start, kept, store } = buildKeeper()
    await start(0, 'wrapped')
    await keeper.stop()
    expect(kept).toEqual(['wrap', 'unwrap'])
    expect(await readFile(join(directory, 'keyring.json'), 'utf8')).toContain('operating system')
    store.refuses = true
    const problem: ServerProblem = await start(0, 'wrapped').catch((error) => error)
    expect(problem.code).toBe('KEYRING_UNREADABLE')
    expect(problem.message).toContain('the key store is locked')
    store.refuses = false
    await start(0, 'plain')
    expect(JSON.parse(await readFile(join(directory, 'keyring.json'), 'utf8'))).toHaveProperty('pepper')
  })

  test('says by code that the data directory is held, and that the port is taken', async () => {
    const first = buildKeeper()
    const { url } = await first.start()
    const second = buildKeeper()
    const locked: ServerProblem = await second.start().catch((error) => error)
    expect(locked.code).toBe('DATA_DIR_LOCKED')
    await first.keeper.stop()
    const blocker = createServer().listen(Number(new URL(url).port), '127.0.0.1')
    stops.push(() => new Promise((resolve) => blocker.close(resolve)))
    const taken: ServerProblem = await second.start(Number(new URL(url).port)).catch((error) => error)
    expect(taken.code).toBe('PORT_UNAVAILABLE')
  })

  test('its end is told once, it is not started again by itself, and a person can start it', async () => {
    const { keeper, start, pids, crashes } = buildKeeper()
    await start()
    const answer = keeper.mintStartupToken().then(() => keeper.mintStartupToken())
    await answer
    process.kill(pids[0] ?? 0, 'SIGKILL')
    await expect.poll(() => crashes.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(pids).toHaveLength(1)
    expect(keeper.isRunning()).toBe(false)
    await start()
    expect(pids).toHaveLength(2)
  })

  test('when the app has died, it ends by itself and lets go of the data directory', async () => {
    const child = forkServer()
    const ready = new Promise<void>((resolve) =>
      child.onMessage((message) => {
        const type = typeof message === 'object' && message !== null && 'type' in message ? message.type : undefined
        if (type === 'here') child.post({ type: 'start', port: 0, dataDirectory: directory, keys: 'plain' })
        if (type === 'ready') resolve()
      }),
    )
    const gone = new Promise((resolve) => child.onExit(resolve))
    await ready
    // What is not on the list is not heard.
    child.post({ type: 'unknown' } as never)
    child.disconnect()
    expect(await gone).toBe(0)
    await buildKeeper().start()
  })
})
