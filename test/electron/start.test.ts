import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createKeyStorage } from '../../electron/key-storage.ts'
import { DESKTOP_TEXTS } from '../../electron/texts.ts'
import { createDesktopServer } from '../../electron/running-server.ts'
import type { ServerProcess } from '../../electron/server-keeper.ts'
import type { FromServer, ToServer } from '../../electron/server-messages.ts'
import { openSettings } from '../../electron/desktop-settings.ts'
import { buildDesktop } from '../helpers/desktop-app.ts'
import { forkServer } from '../helpers/forked-server.ts'

// What happens around a start of the server: hidden, moved to another port, ended meanwhile, with a key store that opens late.

const texts = DESKTOP_TEXTS.en
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-start-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Server processes that only say what they are told to say, one answer to `start` after the other. */
function buildServers(...answers: FromServer[]) {
  const forked: { post(message: ToServer): void; die(): void; told: string[] }[] = []
  const fork = (): ServerProcess => {
    const answer = answers[forked.length] ?? { type: 'failed', code: 'INTERNAL', message: 'one too many' }
    const told: string[] = []
    let say = (_message: unknown): void => {}
    let leave = (_code: number | null): void => {}
    const die = () => leave(1)
    const post = (message: ToServer): void => {
      told.push(message.type)
      if (message.type === 'lan') say({ type: 'lan', id: message.id, state: { on: false, urls: [] } })
      if (message.type === 'stop' && answer.type === 'ready') setTimeout(die)
      if (message.type !== 'start') return
      setTimeout(() => {
        say(answer)
        if (answer.type === 'failed') setTimeout(die, 5)
      }, 5)
    }
    forked.push({ post, die, told })
    return {
      post,
      onMessage: (listener) => {
        say = listener
        setTimeout(() => say({ type: 'here' }))
      },
      onExit: (listener) => (leave = listener),
      lastWords: () => '',
      kill: die,
    }
  }
  return { fork, forked }
}

const ready = (port: number): FromServer => ({ type: 'ready', url: `http://127.0.0.1:${port}` })
const taken: FromServer = { type: 'failed', code: 'PORT_UNAVAILABLE', message: 'taken' }

describe('a start into the tray', () => {
  test('shows nothing, and the first press on the icon opens the console, not an empty window', async () => {
    const { fork } = buildServers(ready(8787))
    const { desktop, seen } = await buildDesktop(directory, { hidden: true, fork })
    await desktop.begin()
    expect(seen.shown).toBe(0)
    desktop.again(undefined)
    expect(seen.urls).toEqual(['http://127.0.0.1:8787/'])
    desktop.again(undefined)
    expect(seen.urls).toHaveLength(1)
    expect(seen.shown).toBe(2)
  })

  test('a press before the server answers is kept until it does', async () => {
    const { fork } = buildServers(ready(8787))
    const { desktop, seen } = await buildDesktop(directory, { hidden: true, fork })
    const begun = desktop.begin()
    desktop.again(undefined)
    expect(seen.shown).toBe(0)
    await begun
    expect(seen.urls).toEqual(['http://127.0.0.1:8787/'])
  })
})

describe('a server that comes back', () => {
  test('at another port takes the window along, whose old page could do nothing any more', async () => {
    const { fork, forked } = buildServers(ready(8787), taken, ready(40_001))
    const { desktop, seen, origin, call } = await buildDesktop(directory, { fork, answers: [texts.restart] })
    await desktop.begin()
    forked[0]?.die()
    await expect.poll(() => seen.urls).toEqual(['http://127.0.0.1:8787/', 'http://127.0.0.1:40001/'])
    expect(origin()).toBe('http://127.0.0.1:40001')
    expect(await call('info')).toMatchObject({ version: '1.2.3' })
  })

  test('at the same port leaves the page as it stands', async () => {
    const { fork, forked } = buildServers(ready(8787), ready(8787))
    const { desktop, seen, origin } = await buildDesktop(directory, { fork, answers: [texts.restart] })
    await desktop.begin()
    forked[0]?.die()
    await expect.poll(() => forked.length).toBe(2)
    await expect.poll(origin).toBe('http://127.0.0.1:8787')
    expect(seen.urls).toHaveLength(1)
  })
})

test.each([
  ['before it was forked', 0],
  ['while it finds its port taken', 1],
])('who quits while the server starts, %s, gets no further server, no question and no window', async (_when, count) => {
  const { fork, forked } = buildServers(taken, ready(40_001))
  const quitting: { end?: () => Promise<void> } = {}
  const { desktop, seen, end } = await buildDesktop(directory, {
    // In the very moment in which the server is forked.
    fork: () => {
      setTimeout(() => void quitting.end?.())
      return fork()
    },
  })
  quitting.end = end
  const begun = desktop.begin()
  if (count === 0) void end()
  await begun
  await end()
  expect(forked).toHaveLength(count)
  expect(seen.dialogs).toEqual([])
  expect(seen.urls).toEqual([])
})

test('a second start that wants the keyring plain is heard, and says from when on that counts', async () => {
  const { fork } = buildServers(ready(8787))
  const { desktop, seen, settings } = await buildDesktop(directory, { fork })
  await desktop.begin()
  await desktop.keepKeys(false)
  expect(settings.current().protectKeys).toBe(false)
  expect(seen.dialogs.map(({ message }) => message)).toEqual([texts.keysLater])
})

describe('a protected keyring', () => {
  const onDisk = async () => readFile(join(directory, 'data', 'keyring.json'), 'utf8')

  /** `opensAfter`: how often the key store answers that it is locked before it is open. */
  async function buildServer(opensAfter = 0) {
    let asked = 0
    const store = {
      isAsyncEncryptionAvailable: async () => asked++ >= opensAfter,
      encryptStringAsync: async (text: string) => Buffer.from(`sealed ${text}`),
      decryptStringAsync: async (bytes: Buffer) => ({ result: bytes.toString().replace('sealed ', '') }),
      getSelectedStorageBackend: () => 'gnome_libsecret',
    }
    const settings = await openSettings(join(directory, 'desktop.json'), () => {})
    await settings.change({ port: 0 })
    const shown: string[] = []
    const server = createDesktopServer({
      fork: forkServer,
      keys: createKeyStorage(store, 'linux'),
      settings,
      dataDirectory: join(directory, 'data'),
      texts: () => texts,
      showMessage: async ({ message, cancelId }) => {
        shown.push(message)
        return { response: shown.length === 1 ? 0 : cancelId }
      },
      openLog: () => {},
      changed: () => {},
      arrived: () => {},
      isQuitting: () => false,
      quit: () => {},
      log: () => {},
    })
    const run = async () => {
      expect(await server.start()).toBeDefined()
      await server.keeper.stop()
    }
    return { server, settings, shown, run }
  }

  test('stays so when the key store was locked at first and opened a moment later; only a person takes it off', async () => {
    await (await buildServer()).run()
    expect(await onDisk()).toContain('operating system')

    const late = await buildServer(1)
    await late.run()
    expect(late.server.keys()).toBe('protected')
    expect(late.shown).toEqual([])
    expect(await onDisk()).toContain('operating system')

    const chosen = await buildServer()
    await chosen.settings.change({ protectKeys: false })
    await chosen.run()
    expect(chosen.server.keys()).toBe('file')
    expect(JSON.parse(await onDisk())).toHaveProperty('pepper')
  })

  test('that the key store does not open is told, stays as it is, and opens at the next try', async () => {
    await (await buildServer()).run()
    const before = await onDisk()
    // Locked when it is asked before the start, and again when the keyring is read.
    const locked = await buildServer(2)
    await locked.run()
    expect(locked.shown).toEqual([texts.keysTitle])
    expect(await onDisk()).toBe(before)
  })
})
