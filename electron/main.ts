import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  app,
  BrowserWindow,
  clipboard,
  dialog,
  ipcMain,
  Menu,
  nativeImage,
  Notification,
  powerMonitor,
  safeStorage,
  screen,
  session,
  shell,
  Tray,
  utilityProcess,
} from 'electron'
import { readArguments, type Started, type WindowArguments } from './command-line.ts'
import { createConsoleWindow } from './console-window.ts'
import { SCHEME } from './deep-link.ts'
import { createDesktop, type Desktop } from './desktop.ts'
import { createDesktopLog } from './desktop-log.ts'
import { openSettings } from './desktop-settings.ts'
import { createKeyStorage } from './key-storage.ts'
import { lockSession } from './permissions.ts'
import { DESKTOP_TEXTS, pickLanguage } from './texts.ts'
import { utilityServer } from './utility-server.ts'
import { PARTITION } from './window.ts'

/**
 * Where the program begins. Here, and in preload.ts, Electron itself is imported; everything else is given what it uses. The
 * build puts this file into dist/desktop, with the server's process beside it.
 */
const beside = (name: string) => join(import.meta.dirname, name)
const inApp = (...parts: string[]) => join(import.meta.dirname, '..', '..', ...parts)
const icon = (name: string) => inApp('packaging', 'icons', name)

async function runCommand(command: string[]): Promise<void> {
  app.dock?.hide()
  // Electron answers the signals of the system by quitting; the command line wants to end in its own way.
  app.on('before-quit', (event) => {
    event.preventDefault()
    process.emit('SIGTERM', 'SIGTERM')
  })
  const { runCommandLine } = await import('../server/cli/run.ts')
  const exitCode = await runCommandLine(command)
  await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
  app.exit(exitCode)
}

async function runWindow(args: WindowArguments): Promise<void> {
  // Before the lock: each data directory has an app of its own.
  if (args.dataDirectory !== undefined) app.setPath('userData', join(args.dataDirectory, 'desktop'))
  if (!app.requestSingleInstanceLock()) return app.quit()
  app.enableSandbox()
  app.setAppUserModelId('eu.latchkey.desktop')
  // Behind `--` nothing is a switch to Chromium, whatever stands in a link.
  if (app.isPackaged) app.setAsDefaultProtocolClient(SCHEME, process.execPath, ['--'])

  const standing: { desktop?: Desktop } = {}
  // What is said before everything stands: the link that this was started with.
  let early = args.link
  const hear = (link: string | undefined) => {
    if (standing.desktop) standing.desktop.again(link)
    else early = link ?? early
  }
  app.on('second-instance', (_event, argv) => {
    const again = readArguments(argv.slice(1))
    if (again.kind !== 'window') return
    hear(again.window.link)
    const { protectKeys } = again.window
    if (protectKeys !== undefined) void standing.desktop?.keepKeys(protectKeys)
  })
  app.on('open-url', (event, link) => {
    event.preventDefault()
    hear(link)
  })
  app.on('before-quit', (event) => standing.desktop?.beforeQuit(event))
  // The tray is what remains when the window is closed.
  app.on('window-all-closed', () => {})

  await app.whenReady()
  const log = createDesktopLog(join(app.getPath('userData'), 'desktop.log'), () => new Date())
  const settings = await openSettings(join(app.getPath('userData'), 'desktop.json'), (error) => log(String(error)))
  const desktop = buildDesktop({ ...args, link: early }, settings, log)
  standing.desktop = desktop
  if (process.platform !== 'win32')
    powerMonitor.on('shutdown', () => {
      app.quit()
    })
  await desktop.begin()
  // Comes with the start itself, too, which may be meant to show nothing.
  app.on('activate', () => desktop.again(undefined))
}

/** Says what cannot be meant, and ends. */
async function refuse(mistake: 'noDataDirectory'): Promise<void> {
  await app.whenReady()
  const text = DESKTOP_TEXTS[pickLanguage(undefined, app.getPreferredSystemLanguages())][mistake]
  process.stderr.write(`${text}\n`)
  dialog.showErrorBox('Latchkey', text)
  app.exit(2)
}

type Settings = Awaited<ReturnType<typeof openSettings>>

function buildDesktop(args: WindowArguments, settings: Settings, log: (text: string) => void): Desktop {
  const tray = new Tray(trayIcon())
  tray.setToolTip('Latchkey')
  const openExternal = (url: string) => void shell.openExternal(url).catch((error: unknown) => log(String(error)))
  const desktop = createDesktop({
    platform: process.platform,
    version: app.getVersion(),
    isDevelopment: !app.isPackaged,
    preferredLanguages: app.getPreferredSystemLanguages(),
    args,
    settings,
    keys: createKeyStorage(safeStorage, process.platform),
    fork: () =>
      utilityServer(
        utilityProcess.fork(beside('server-process.js'), [], {
          serviceName: 'Latchkey server',
          stdio: ['ignore', 'ignore', 'pipe'],
        }),
      ),
    createWindow: (hooks) => {
      lockSession(session.fromPartition(PARTITION), hooks.origin)
      return createConsoleWindow({
        ...hooks,
        create: (options) => new BrowserWindow(options),
        preload: inApp('dist', 'preload', 'preload.cjs'),
        icon: process.platform === 'linux' ? icon('icon.png') : undefined,
        areas: () => [screen.getPrimaryDisplay().workArea, ...screen.getAllDisplays().map(({ workArea }) => workArea)],
        saved: () => settings.current().window,
        save: (state) => void settings.change({ window: state }),
        now: () => Date.now(),
      })
    },
    forgetSession: (origin) => session.fromPartition(PARTITION).cookies.remove(origin, 'latchkey_session'),
    renderMenu: (template) => Menu.setApplicationMenu(Menu.buildFromTemplate(template)),
    renderTray: (template) => tray.setContextMenu(Menu.buildFromTemplate(template)),
    showMessage: (options) => dialog.showMessageBox(options),
    notify: (title, body) => new Notification({ title, body }).show(),
    openExternal,
    openPath: (path) => void shell.openPath(path),
    copy: (text) => void clipboard.writeText(text),
    handle: (channel, listener) => ipcMain.handle(channel, listener),
    loadUpdater: mayUpdate() ? async () => (await import('electron-updater')).default.autoUpdater : undefined,
    hasFeed: () => existsSync(join(process.resourcesPath, 'app-update.yml')),
    quit: () => app.quit(),
    log,
  })
  tray.on('click', () => desktop.again(undefined))
  return desktop
}

/** Development never updates itself, nor does what a package manager or a portable copy brought. */
function mayUpdate(): boolean {
  if (!app.isPackaged || process.env['PORTABLE_EXECUTABLE_DIR'] !== undefined) return false
  return process.platform !== 'linux' || process.env['APPIMAGE'] !== undefined
}

function trayIcon() {
  if (process.platform === 'darwin') {
    const image = nativeImage.createFromPath(icon('trayTemplate.png'))
    image.setTemplateImage(true)
    return image
  }
  return icon(process.platform === 'win32' ? 'icon.ico' : 'tray.png')
}

/** Without the program, and the folder of the app that a developer's Electron is given. */
function ownWords(argv: readonly string[]): string[] {
  return argv.slice(app.isPackaged ? 1 : 2)
}

function run(started: Started): Promise<void> {
  if (started.kind === 'command') return runCommand(started.command)
  return started.kind === 'window' ? runWindow(started.window) : refuse(started.mistake)
}

run(readArguments(ownWords(process.argv))).catch((error: unknown) => {
  process.stderr.write(`Latchkey failed: ${error instanceof Error ? error.stack : String(error)}\n`)
  app.exit(1)
})
