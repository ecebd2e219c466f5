// Stands in for Electron where dist/desktop/main.js runs on plain Node: does what it must, and tells on standard output, a line each, what
// the program asked of it. Lines on standard input are what a person does.
import { fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { createInterface } from 'node:readline'

/** @param {string} what @param {unknown} [detail] */
const tell = (what, detail) => process.stdout.write(`${JSON.stringify({ what, detail })}\n`)
/** @type {Map<string, string>} */
const paths = new Map()

class App extends EventEmitter {
  isPackaged = false
  setPath(/** @type {string} */ name, /** @type {string} */ path) {
    paths.set(name, path)
  }
  getPath(/** @type {string} */ name) {
    return paths.get(name) ?? ''
  }
  requestSingleInstanceLock() {
    tell('lock', paths.get('userData'))
    return true
  }
  enableSandbox() {
    tell('sandbox')
  }
  setAppUserModelId() {}
  async whenReady() {}
  getVersion() {
    return '1.2.3'
  }
  getPreferredSystemLanguages() {
    return ['en-GB']
  }
  quit() {
    let held = false
    this.emit('before-quit', { preventDefault: () => (held = true) })
    tell('quit', { held })
    if (!held) process.exit(0)
  }
  exit(/** @type {number} */ code) {
    process.exit(code)
  }
}

export const app = new App()

export class BrowserWindow extends EventEmitter {
  webContents = Object.assign(new EventEmitter(), { id: 1, setWindowOpenHandler: () => tell('guarded') })
  constructor(/** @type {{ webPreferences: object }} */ { webPreferences }) {
    super()
    tell('window', webPreferences)
  }
  async loadURL(/** @type {string} */ url) {
    tell('load', url)
  }
  isMinimized() {
    return false
  }
  show() {}
  focus() {}
}

export class Tray extends EventEmitter {
  constructor(/** @type {string} */ image) {
    super()
    tell('tray', image)
  }
  setToolTip() {}
  setContextMenu() {}
}

export class Notification {
  show() {}
}

const isInTest = { sealed: 'sealed by the test: ' }
export const safeStorage = {
  isAsyncEncryptionAvailable: async () => true,
  encryptStringAsync: async (/** @type {string} */ text) => Buffer.from(isInTest.sealed + text),
  decryptStringAsync: async (/** @type {Buffer} */ bytes) => ({
    result: bytes.toString().slice(isInTest.sealed.length),
    shouldReEncrypt: false,
  }),
  getSelectedStorageBackend: () => 'gnome_libsecret',
}

const consoleSession = {
  setPermissionRequestHandler: () => tell('permissions asked'),
  setPermissionCheckHandler: () => tell('permissions checked'),
  setDevicePermissionHandler: () => {},
  setSpellCheckerEnabled: () => {},
  webRequest: { onBeforeRequest: () => tell('requests') },
  cookies: { remove: async () => {} },
}

export const session = { fromPartition: () => consoleSession }
export const ipcMain = { handle: (/** @type {string} */ channel) => tell('channel', channel) }
export const Menu = {
  buildFromTemplate: (/** @type {unknown[]} */ items) => items.length,
  setApplicationMenu: () => {},
}
export const screen = {
  getPrimaryDisplay: () => ({ workArea: { x: 0, y: 0, width: 1440, height: 900 } }),
  getAllDisplays: () => [],
}
export const dialog = {
  showMessageBox: async (/** @type {{ message: string, cancelId: number }} */ { message, cancelId }) => {
    tell('dialog', message)
    return { response: cancelId }
  },
}
export const shell = { openExternal: async () => {}, openPath: async () => '' }
export const clipboard = { writeText: () => {} }
export const nativeImage = { createFromPath: () => ({ setTemplateImage: () => {} }) }
export const powerMonitor = new EventEmitter()

export const utilityProcess = {
  fork(/** @type {string} */ path) {
    const child = fork(path, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
    return Object.assign(child, {
      postMessage: (/** @type {import('node:child_process').Serializable} */ message) => child.send(message),
    })
  },
}

createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'quit') app.quit()
  else app.emit('second-instance', {}, ['latchkey', line])
})
process.stdin.unref()
