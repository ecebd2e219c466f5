import { createServer } from 'node:net'
import { join } from 'node:path'
import type { MenuItemConstructorOptions } from 'electron'
import { expect } from 'vitest'
import type { Asking } from '../../electron/bridge.ts'
import { createDesktop, type DesktopDeps, type WindowHooks } from '../../electron/desktop.ts'
import { openSettings } from '../../electron/desktop-settings.ts'
import { forkServer } from './forked-server.ts'

interface Shown {
  message: string
  detail: string
  buttons: string[]
}

export interface DesktopOptions {
  link?: string
  hidden?: boolean
  /** The labels that are pressed, question after question. */
  answers?: string[]
  name?: string
  /** Instead of the real server. */
  fork?: DesktopDeps['fork']
}

/** The whole app in a directory; of Electron there are doubles that note what was asked of them. */
export async function buildDesktop(directory: string, options: DesktopOptions = {}) {
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
    fork:
      options.fork ??
      (() => {
        const child = forkServer()
        seen.pids.push(child.pid)
        return child
      }),
    createWindow: (hooks) => {
      made.hooks = hooks
      return {
        show: (url) => {
          seen.shown += 1
          if (url !== undefined) seen.urls.push(url)
        },
        address: () => seen.urls.at(-1)?.replace(/#.*/, ''),
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
    hasFeed: () => false,
    quit: () => (seen.quits += 1),
    log: (text) => void seen.log.push(text),
  })
  const end = async () => {
    if (!made.hooks?.isQuitting()) desktop.beforeQuit({ preventDefault: () => {} })
    await expect.poll(() => seen.quits, { timeout: 15_000 }).toBeGreaterThan(0)
  }
  const origin = () => made.hooks?.origin()
  const press = (items: MenuItemConstructorOptions[], label: string) =>
    findItem(items, label)?.click?.({} as never, undefined, {} as never)
  const call = async (act: string, ...inputs: unknown[]) =>
    channels.get(`latchkey:${act}`)?.(
      { senderFrame: { url: `http://127.0.0.1:${settings.current().port}/`, parent: null }, sender: { id: 1 } },
      ...inputs,
    )
  return { desktop, seen, settings, origin, press, call, end, hooks: () => made.hooks }
}

/** An entry of a menu, however deep. */
export function findItem(items: MenuItemConstructorOptions[], label: string): MenuItemConstructorOptions | undefined {
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
