import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { MenuItemConstructorOptions } from 'electron'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Asking } from '../../electron/bridge.ts'
import { createDesktop, type WindowHooks } from '../../electron/desktop.ts'
import { openSettings } from '../../electron/desktop-settings.ts'
import { DESKTOP_TEXTS } from '../../electron/texts.ts'
import { forkServer } from '../helpers/forked-server.ts'
import { buildVisitor, dataOf } from '../helpers/visitor.ts'

// The whole app with its real server process; of Electron there are doubles that note what was asked of them.

const texts = DESKTOP_TEXTS.en
let directory: string
const ends: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-desktop-'))
})
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await rm(directory, { recursive: true, force: true })
})

interface Shown {
  message: string
  detail: string
  buttons: string[]
}

async function buildDesktop(options: { link?: string; hidden?: boolean; answers?: string[]; name?: string } = {}) {
  const { answers = [], name = 'desktop' } = options
  const seen = {
    urls: [] as string[],
    shown: 0,
    dialogs: [] as Shown[],
    outside: [] as string[],
    paths: [] as string[],
    copied: [] as string[],
    forgotten: [] as string[],
    told: [] as string[],
    pids: [] as number[],
    quits: 0,
    log: [] as string[],
    menu: [] as MenuItemConstructorOptions[],
    tray: [] as MenuItemConstructorOptions[],
  }
  const channels = new Map<string, (asking: Asking, ...inputs: unknown[]) => unknown>()
  const made: { hooks?: WindowHooks } = {}
  const settings = await openSettings(join(directory, `${name}.json`), () => {})
  await settings.change({ port: settings.current().port ?? (await freePort()) })
  const desktop = createDesktop({
    platform: 'linux',
    version: '1.2.3',
    isDevelopment: false,
    preferredLanguages: ['en-GB'],
    args: {
      dataDirectory: join(directory, 'data'),
      hidden: options.hidden ?? false,
      protectKeys: undefined,
      link: options.link,
    },
    settings,
    keys: { isReal: async () => false, wrap: async (bytes) => bytes, unwrap: async (bytes) => bytes },
    fork: () => {
      const child = forkServer()
      seen.pids.push(child.pid)
      return child
    },
    createWindow: (hooks) => {
      made.hooks = hooks
      return {
        show: (url) => {
          seen.shown += 1
          if (url !== undefined) seen.urls.push(url)
        },
        contents: () => 1,
      }
    },
    forgetSession: async (origin) => void seen.forgotten.push(origin),
    renderMenu: (template) => (seen.menu = template),
    renderTray: (template) => (seen.tray = template),
    showMessage: async ({ message, detail, buttons, cancelId }) => {
      seen.dialogs.push({ message, detail, buttons })
      const at = buttons.indexOf(answers.shift() ?? '')
      return { response: at === -1 ? cancelId : at }
    },
    notify: (title) => void seen.told.push(title),
    openExternal: (url) => void seen.outside.push(url),
    openPath: (path) => void seen.paths.push(path),
    copy: (text) => void seen.copied.push(text),
    handle: (channel, listener) => channels.set(channel, listener),
    loadUpdater: undefined,
    quit: () => (seen.quits += 1),
    log: (text) => void seen.log.push(text),
  })
  const end = async () => {
    if (!made.hooks?.isQuitting()) desktop.beforeQuit({ preventDefault: () => {} })
    await expect.poll(() => seen.quits, { timeout: 15_000 }).toBeGreaterThan(0)
  }
  ends.push(end)
  const origin = () => made.hooks?.origin() ?? ''
  const press = (items: MenuItemConstructorOptions[], label: string) =>
    findItem(items, label)?.click?.({} as never, undefined, {} as never)
  const call = async (act: string, ...inputs: unknown[]) =>
    channels.get(`latchkey:${act}`)?.(
      { senderFrame: { url: `http://127.0.0.1:${settings.current().port}/`, parent: null }, sender: { id: 1 } },
      ...inputs,
    )
  return { desktop, seen, settings, origin, press, call, end, hooks: () => made.hooks }
}

function findItem(items: MenuItemConstructorOptions[], label: string): MenuItemConstructorOptions | undefined {
  for (const item of items) {
    if (item.label === label) return item
    const inside = Array.isArray(item.submenu) ? findItem(item.submenu, label) : undefined
    if (inside) return inside
  }
  return undefined
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function setUp(url: string): Promise<void> {
  const [address = '', setup_token = ''] = url.split('/setup#')
  const password = 'correct horse staple'
  const body = { setup_token, username: 'ann', password, confirm_password: password }
  dataOf(await buildVisitor(address).client.auth.setup({ body }))
}

describe('the desktop app', () => {
  test('its first start opens the set-up, already holding its token; its menu mints a startup token for a person', async () => {
    const { desktop, seen, origin, press, call, end } = await buildDesktop({ answers: [texts.signInHere] })
    await desktop.begin()
    expect(seen.urls).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/setup#[\w-]{43}$/)])
    await setUp(seen.urls[0] ?? '')
    await expect.poll(() => findItem(seen.tray, origin())).toBeDefined()

    press(seen.menu, texts.newStartupToken)
    await expect.poll(() => seen.urls.length).toBe(2)
    const [dialog] = seen.dialogs
    expect(dialog?.buttons).toEqual([texts.copy, texts.signInHere, texts.close])
    expect(seen.forgotten).toEqual([origin()])
    const token = seen.urls[1]?.split('/login#startup_token=')[1] ?? ''
    expect(dialog?.detail.split('\n')[0]).toBe(token)
    const signedIn = await buildVisitor(origin()).client.auth.login({
      body: { login_type: 'temporary_token', temporary_token: token },
    })
    expect(dataOf(signedIn).username).toBe('ann')

    expect(await call('info')).toMatchObject({ version: '1.2.3', keys: 'file', updates: 'none' })
    await call('speak', 'ru')
    expect(findItem(seen.menu, DESKTOP_TEXTS.ru.settings)).toBeDefined()
    await call('openInBrowser', '/account')
    expect(seen.outside).toEqual([`${origin()}/account`])
    await call('openLog')
    expect(seen.paths).toEqual([join(directory, 'data', 'latchkey.log')])
    // No secret reached the app's own log, and it is said that the keyring is a file.
    expect(seen.log.join()).not.toContain(token)
    expect(seen.log.join()).toContain('No key store')
    await end()
    expect(() => process.kill(seen.pids[0] ?? 0, 0)).toThrow()
  })

  test('links open pages of ours and nothing else; closing tells once that it goes on', async () => {
    const { desktop, seen, origin, hooks } = await buildDesktop({ link: 'latchkey://open/setup' })
    desktop.again('latchkey://open/users')
    expect(seen.urls).toEqual([])
    await desktop.begin()
    await setUp(seen.urls[0] ?? '')
    desktop.again('latchkey://open/users')
    desktop.again('latchkey://open/login#startup_token=x')
    desktop.again(undefined)
    expect(seen.urls.slice(1)).toEqual([`${origin()}/users`])
    hooks()?.hidden()
    hooks()?.hidden()
    expect(seen.told).toEqual([texts.trayTitle])
  })

  test('a server that died is shown with a way to its log and to start it again, at the same address', async () => {
    const { desktop, seen, origin, call } = await buildDesktop({ answers: [texts.openLog, texts.restart] })
    await desktop.begin()
    const before = origin()
    process.kill(seen.pids[0] ?? 0, 'SIGKILL')
    await expect.poll(() => seen.pids.length).toBe(2)
    await expect.poll(() => origin()).toBe(before)
    expect(seen.dialogs.map(({ message }) => message)).toEqual([texts.crashTitle, texts.crashTitle])
    expect(seen.paths).toEqual([join(directory, 'data', 'latchkey.log')])
    // One that runs is not started a second time, whoever asks.
    await call('restartServer')
    expect(seen.pids).toHaveLength(2)
  })

  test('is not restarted unasked; the page may ask', async () => {
    const { desktop, seen, origin, call } = await buildDesktop({ answers: [texts.close] })
    await desktop.begin()
    const before = origin()
    process.kill(seen.pids[0] ?? 0, 'SIGKILL')
    await expect.poll(() => seen.dialogs.length).toBe(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(seen.pids).toHaveLength(1)
    expect(findItem(seen.tray, texts.stopped)).toBeDefined()
    // Nothing is ours meanwhile: another program could have taken the port.
    expect(origin()).toBe('null')
    await expect(call('restartServer')).resolves.toEqual({})
    expect(origin()).toBe(before)
  })

  test('where the port is taken it takes another and keeps it; where the directory is held it says so', async () => {
    const first = await buildDesktop()
    const taken = createServer()
    await new Promise<void>((resolve) => taken.listen(first.settings.current().port, '127.0.0.1', resolve))
    ends.push(() => new Promise((resolve) => taken.close(resolve)))
    const wanted = first.settings.current().port
    await first.desktop.begin()
    expect(first.settings.current().port).not.toBe(wanted)
    expect(first.origin()).toBe(`http://127.0.0.1:${first.settings.current().port}`)

    const second = await buildDesktop({ name: 'second', answers: [texts.retry, texts.quit] })
    await second.desktop.begin()
    expect(second.seen.dialogs.map(({ message }) => message)).toEqual([texts.lockedTitle, texts.lockedTitle])
    expect(second.seen.quits).toBe(1)
    expect(second.seen.urls).toEqual([])
  })
})
