import type { MenuItemConstructorOptions } from 'electron'
import type { DesktopActs } from '../api/desktop.ts'
import type { Language } from '../api/schemas.ts'
import { type BridgeDeps, openBridge } from './bridge.ts'
import type { WindowArguments } from './command-line.ts'
import type { ConsoleWindow } from './console-window.ts'
import { pathOfDeepLink } from './deep-link.ts'
import type { SettingsFile } from './desktop-settings.ts'
import { ask, notice, type ShowMessage, startupTokenQuestion, updateQuestion } from './dialogs.ts'
import type { KeyStorage } from './key-storage.ts'
import { menuTemplate } from './menu.ts'
import { createQuit } from './quit.ts'
import { createDesktopServer } from './running-server.ts'
import type { Ready, ServerProcess } from './server-keeper.ts'
import { DESKTOP_TEXTS, pickLanguage } from './texts.ts'
import { trayTemplate } from './tray.ts'
import { createUpdates, type Updater } from './updates.ts'

/** What a window is made with; the rest of it is main.ts's business. */
export interface WindowHooks {
  origin: () => string | undefined
  openOutside: (url: string) => void
  isQuitting: () => boolean
  hidden: () => void
}

/** Everything of Electron that the app uses, handed in. */
export interface DesktopDeps {
  platform: NodeJS.Platform
  version: string
  isDevelopment: boolean
  preferredLanguages: readonly string[]
  args: WindowArguments
  settings: SettingsFile
  keys: KeyStorage
  fork: () => ServerProcess
  createWindow: (hooks: WindowHooks) => ConsoleWindow
  /** Forgets that somebody is signed in in the window. */
  forgetSession: (origin: string) => Promise<void>
  renderMenu: (template: MenuItemConstructorOptions[]) => void
  renderTray: (template: MenuItemConstructorOptions[]) => void
  showMessage: ShowMessage
  notify: (title: string, text: string) => void
  openExternal: (url: string) => void
  openPath: (path: string) => void
  copy: (text: string) => void
  handle: BridgeDeps['handle']
  loadUpdater: (() => Promise<Updater>) | undefined
  /** Whether the package says where new versions are. */
  hasFeed: () => boolean
  quit: () => void
  log: (text: string) => void
}

export interface Desktop {
  /** Starts the server and shows the console; at its first start the set-up, already holding its token. */
  begin(): Promise<void>
  /** A second start of the program, or a press on its icon. */
  again(link: string | undefined): void
  /** A second start wants the keyring protected, or no longer. */
  keepKeys(protect: boolean): Promise<void>
  beforeQuit(event: { preventDefault(): void }): void
}

/** Milliseconds after which menu and tray are true again at the latest. */
const LOOKS_EVERY = 10_000

export function createDesktop(deps: DesktopDeps): Desktop {
  const { settings, args, log } = deps
  let language: Language = pickLanguage(settings.current().language, deps.preferredLanguages)
  /** The page that is opened as soon as there is something to open. */
  let waiting = args.link === undefined ? (args.hidden ? undefined : '/') : (pathOfDeepLink(args.link) ?? '/')
  /** What menu and tray say at present. */
  let rendered = ''
  const texts = () => DESKTOP_TEXTS[language]
  const openLog = () => {
    const places = server.places()
    if (places) deps.openPath(places.logFile)
  }

  const openFolder = () => {
    const places = server.places()
    if (places) deps.openPath(places.dataDirectory)
  }

  const server = createDesktopServer({
    ...deps,
    dataDirectory: args.dataDirectory,
    texts,
    openLog,
    changed: () => void refresh(),
    arrived,
    isQuitting: () => quit.isQuitting(),
  })
  const quit = createQuit({ stopServer: () => server.keeper.stop(), quit: deps.quit })
  const updates = createUpdates({
    load: deps.loadUpdater,
    hasFeed: deps.hasFeed,
    askFirst: () => settings.current().askBeforeUpdate,
    wanted: async (version) => (await ask(deps.showMessage, updateQuestion(texts(), version))) === 'now',
    stopServer: quit.prepare,
    log,
  })
  const origin = () => originOf(server.url())
  const window = deps.createWindow({
    origin,
    openOutside: deps.openExternal,
    isQuitting: quit.isQuitting,
    hidden: tellOfTray,
  })
  openBridge({
    handle: deps.handle,
    // While the server is down, the page that it gave still stands there, and may ask to have it started.
    ours: () => ({ origin: originOf(server.lastUrl()), contents: window.contents() }),
    acts: bridgeActs(),
    log,
  })

  function tellOfTray(): void {
    if (settings.current().toldOfTray) return
    deps.notify(texts().trayTitle, texts().trayText)
    void settings.change({ toldOfTray: true })
  }

  function goTo(path: string): void {
    const url = server.url()
    if (url !== undefined) window.show(`${url}${path}`)
  }

  /** The server answers, for the first time or again: the window follows it. */
  function arrived({ setupToken }: Ready): void {
    const path = waiting
    waiting = undefined
    if (setupToken !== undefined) goTo(`/setup#${setupToken}`)
    else if (path !== undefined) goTo(path)
    else if (isStranded()) goTo('/')
  }

  /** Whether the window stands where the server answered before it moved: nothing there works any more. */
  function isStranded(): boolean {
    const [ours, shown] = [origin(), originOf(window.address())]
    return ours !== undefined && shown !== undefined && ours !== shown
  }

  /** Brings the window up, at this page if one is named; as soon as there is a server, if there is none yet. */
  function bringUp(path?: string): void {
    if (path === undefined && window.address() !== undefined && !isStranded()) window.show()
    else if (server.url() === undefined) waiting = path ?? waiting ?? '/'
    else goTo(path ?? '/')
  }

  async function newStartupToken(): Promise<void> {
    const token = await server.keeper.mintStartupToken().catch(() => undefined)
    if (token === undefined) return
    const answer = await ask(deps.showMessage, startupTokenQuestion(texts(), token))
    if (answer === 'copy') deps.copy(token)
    if (answer !== 'sign-in') return
    const ours = origin()
    if (ours !== undefined) await deps.forgetSession(ours)
    goTo(`/login#startup_token=${token}`)
  }

  async function switchLan(on: boolean): Promise<void> {
    try {
      await server.keeper.switchLan(on)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      await ask(deps.showMessage, notice(texts(), 'error', texts().lanFailedTitle, reason))
      // The press has ticked the entry already.
      rendered = ''
    }
    await refresh()
  }

  async function checkForUpdates(): Promise<void> {
    const outcome = await updates.check()
    if (outcome === 'found') return
    const { updateNone, updateFailed, updateNotSetUp } = texts()
    const text = { none: updateNone, unavailable: updateFailed, 'not-set-up': updateNotSetUp }[outcome]
    await ask(deps.showMessage, notice(texts(), outcome === 'unavailable' ? 'error' : 'info', text))
  }

  function openInBrowser(path = '/'): void {
    const url = server.url()
    if (url !== undefined) deps.openExternal(`${url}${path}`)
  }

  /** Menu and tray say how things stand now. */
  async function refresh(): Promise<void> {
    const lan = server.url() === undefined ? undefined : await server.keeper.lan().catch(() => undefined)
    // Asked for now: it may have ended while it was being asked.
    const url = server.url()
    const { platform, isDevelopment } = deps
    const stand = JSON.stringify([url, lan, language, updates.mode()])
    if (stand === rendered) return
    rendered = stand
    deps.renderMenu(
      menuTemplate(
        { platform, texts: texts(), running: url !== undefined, updates: updates.mode(), isDevelopment },
        {
          newStartupToken: () => void newStartupToken(),
          openLog,
          openFolder,
          openInBrowser: () => openInBrowser(),
          goTo,
          checkForUpdates: () => void checkForUpdates(),
          askBeforeUpdate: (askBeforeUpdate) => void settings.change({ askBeforeUpdate }).then(refresh),
          quit: deps.quit,
        },
      ),
    )
    deps.renderTray(
      trayTemplate(
        { texts: texts(), url, lan },
        {
          show: () => bringUp(),
          openInBrowser: () => openInBrowser(),
          switchLan: (on) => void switchLan(on),
          copy: deps.copy,
          newStartupToken: () => void newStartupToken(),
          quit: deps.quit,
        },
      ),
    )
  }

  function bridgeActs(): DesktopActs {
    return {
      info: () => ({
        version: deps.version,
        platform: deps.platform,
        keys: server.keys(),
        data_directory: server.places()?.dataDirectory ?? '',
        log_file: server.places()?.logFile ?? '',
        updates: updates.mode(),
      }),
      openLog: () => {
        openLog()
        return {}
      },
      speak: async (wanted) => {
        if (wanted === language) return {}
        language = wanted
        await settings.change({ language })
        await refresh()
        return {}
      },
      restartServer: async () => {
        if (!server.keeper.isRunning()) await server.start()
        return {}
      },
      openInBrowser: (page) => {
        openInBrowser(page)
        return {}
      },
      checkForUpdates: () => updates.check(),
    }
  }

  return {
    async begin() {
      // The network is switched in the page, too, and its addresses change by themselves.
      setInterval(() => void refresh(), LOOKS_EVERY).unref()
      if (args.protectKeys !== undefined) await settings.change({ protectKeys: args.protectKeys })
      if (!(await server.start())) return
      if (updates.mode() !== 'none') void updates.check()
    },
    again(link) {
      bringUp(link === undefined ? undefined : pathOfDeepLink(link))
    },
    async keepKeys(protectKeys) {
      await settings.change({ protectKeys })
      await ask(deps.showMessage, notice(texts(), 'info', texts().keysLater))
    },
    beforeQuit: quit.beforeQuit,
  }
}

function originOf(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).origin
}
