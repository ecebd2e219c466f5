import type { BrowserWindow, BrowserWindowConstructorOptions } from 'electron'
import { guardContents } from './navigation.ts'
import { placeWindow, type Rectangle, type WindowState } from './window-state.ts'
import { windowOptions } from './window.ts'

export interface ConsoleWindowDeps {
  create: (options: BrowserWindowConstructorOptions) => BrowserWindow
  preload: string
  icon: string | undefined
  /** The usable parts of the screens, the first one first. */
  areas: () => readonly [Rectangle, ...Rectangle[]]
  saved: () => WindowState | undefined
  save: (state: WindowState) => void
  origin: () => string | undefined
  openOutside: (url: string) => void
  isQuitting: () => boolean
  /** The window went into the tray. */
  hidden: () => void
  now: () => number
}

export interface ConsoleWindow {
  /** Shows the window, at this address if one is named; makes one where there is none. One that was never anywhere is not shown. */
  show(url?: string): void
  /** Where it was led last, without a secret; undefined before the first time. */
  address(): string | undefined
  /** The number of its contents; undefined where there is none. */
  contents(): number | undefined
}

/** A page that died is shown anew, but not again and again. */
const REVIVED_AT_MOST_EVERY = 60_000

/** The one window: it shows the console, and goes into the tray when it is closed. */
export function createConsoleWindow(deps: ConsoleWindowDeps): ConsoleWindow {
  let window: BrowserWindow | undefined
  let last: string | undefined
  let revived = Number.NEGATIVE_INFINITY

  function open(url: string): BrowserWindow {
    const state = placeWindow(deps.saved(), deps.areas())
    const made = deps.create(windowOptions(deps.preload, state, deps.icon))
    guardContents(made.webContents, { origin: deps.origin, openOutside: deps.openOutside, show })
    made.once('ready-to-show', () => {
      if (state.maximized) made.maximize()
      made.show()
    })
    made.on('close', (event) => {
      deps.save({ ...made.getNormalBounds(), maximized: made.isMaximized() })
      if (deps.isQuitting()) return
      event.preventDefault()
      made.hide()
      deps.hidden()
    })
    made.on('closed', () => (window = undefined))
    made.webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason === 'clean-exit') return
      made.destroy()
      if (deps.now() - revived < REVIVED_AT_MOST_EVERY) return
      revived = deps.now()
      show(last)
    })
    load(made, url)
    return made
  }

  function load(into: BrowserWindow, url: string): void {
    last = withoutSecret(url)
    // What fails to load is the page's to say, or the server's: whoever started it knows.
    into.loadURL(url).catch(() => {})
  }

  function show(url?: string): void {
    if (!window) {
      const address = url ?? last
      if (address !== undefined) window = open(address)
      return
    }
    if (url !== undefined) load(window, url)
    if (window.isMinimized()) window.restore()
    window.show()
    window.focus()
  }

  return { show, address: () => last, contents: () => window?.webContents.id }
}

function withoutSecret(url: string): string {
  return url.replace(/#.*/s, '')
}
