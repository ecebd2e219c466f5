import { resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readArguments } from '../../electron/command-line.ts'
import { startQuestion } from '../../electron/dialogs.ts'
import { createKeyStorage } from '../../electron/key-storage.ts'
import { menuTemplate } from '../../electron/menu.ts'
import { createQuit } from '../../electron/quit.ts'
import { DESKTOP_TEXTS, pickLanguage } from '../../electron/texts.ts'
import { trayTemplate } from '../../electron/tray.ts'
import { createUpdates, type Updater } from '../../electron/updates.ts'

const nothing = () => {}
const texts = DESKTOP_TEXTS.en

describe('the key store of the system', () => {
  function buildStore(backend = 'gnome_libsecret', available = true) {
    const asked: string[] = []
    const store = {
      isAsyncEncryptionAvailable: async () => available,
      encryptStringAsync: async (text: string) => {
        asked.push('encrypt')
        return Buffer.from(`sealed:${text}`)
      },
      decryptStringAsync: async (bytes: Buffer) => ({ result: bytes.toString().replace('sealed:', '') }),
      getSelectedStorageBackend: () => backend,
    }
    return { store, asked }
  }

  test('gives back what it was given, whatever bytes these are', async () => {
    const keys = createKeyStorage(buildStore().store, 'linux')
    const bytes = Buffer.from([0, 255, 10, 128, 200])
    expect(await keys.unwrap(await keys.wrap(bytes))).toEqual(bytes)
  })

  test.each([
    ['basic_text', true, 'linux', false],
    ['unknown', true, 'linux', false],
    ['gnome_libsecret', true, 'linux', true],
    ['kwallet6', true, 'linux', true],
    ['gnome_libsecret', false, 'linux', false],
    ['basic_text', true, 'darwin', true],
    ['basic_text', false, 'win32', false],
  ] as const)('%s, available %s, on %s is real: %s', async (backend, available, platform, real) => {
    const { store, asked } = buildStore(backend, available)
    const keys = createKeyStorage(store, platform)
    expect(await keys.isReal()).toBe(real)
    if (!real) await expect(keys.wrap(Buffer.from('x'))).rejects.toThrow(/no key store/)
    expect(asked).toEqual([])
  })

  test('one that was locked is asked again', async () => {
    const { store } = buildStore()
    let locked = true
    const keys = createKeyStorage({ ...store, isAsyncEncryptionAvailable: async () => !locked }, 'darwin')
    expect(await keys.isReal()).toBe(false)
    locked = false
    expect(await keys.isReal()).toBe(true)
  })

  test('is not asked before it is needed', () => {
    const never = () => {
      throw new Error('asked too early')
    }
    createKeyStorage(
      { isAsyncEncryptionAvailable: never, encryptStringAsync: never, decryptStringAsync: never },
      'darwin',
    )
  })
})

describe('the command line', () => {
  test.each([
    [
      ['user', 'list'],
      ['user', 'list'],
    ],
    [
      ['startup-token', '--json'],
      ['startup-token', '--json'],
    ],
    [['--version'], ['--version']],
  ])('%j runs a command', (argv, command) => {
    expect(readArguments(argv)).toEqual({ kind: 'command', command })
  })

  test.each([
    [[], { dataDirectory: undefined, hidden: false, protectKeys: undefined, link: undefined }],
    [['--data-dir', '/data', '--hidden'], { dataDirectory: '/data', hidden: true }],
    [['--data-dir=/data'], { dataDirectory: '/data' }],
    [['--plain-keyring'], { protectKeys: false }],
    [['--protect-keyring'], { protectKeys: true }],
    [['--no-sandbox', 'latchkey://open/users'], { link: 'latchkey://open/users' }],
    // What the system adds must not be taken for a command.
    [['latchkey://open/users'], { link: 'latchkey://open/users' }],
    [['--type=gpu'], { hidden: false }],
  ])('%j opens the window', (argv, window) => {
    expect(readArguments(argv)).toMatchObject({ kind: 'window', window })
  })

  test('beside a link no flag counts: whoever wrote the link must not choose data or keys', () => {
    const link = 'latchkey://open/users'
    const window = { dataDirectory: undefined, hidden: false, protectKeys: undefined, link }
    for (const flags of [
      ['--plain-keyring'],
      ['--data-dir=//evil/share'],
      ['--data-dir', '/evil'],
      ['--hidden', '--data-dir='],
    ])
      for (const argv of [
        [link, ...flags],
        [...flags, link],
        ['--', link, ...flags],
      ])
        expect(readArguments(argv), argv.join(' ')).toEqual({ kind: 'window', window })
  })

  test('a data directory is made absolute, because Electron takes no other', () => {
    for (const argv of [['--data-dir', 'rel'], ['--data-dir=rel'], ['--data-dir=./rel/']])
      expect(readArguments(argv)).toMatchObject({ window: { dataDirectory: resolve('rel') } })
  })

  test.each([[['--data-dir']], [['--data-dir=']], [['--data-dir', '']], [['--data-dir', '--hidden']]])(
    '%j names no data directory, and none is taken instead',
    (argv) => {
      expect(readArguments(argv)).toEqual({ kind: 'mistake', mistake: 'noDataDirectory' })
    },
  )
})

describe('menus', () => {
  const acts = new Proxy({}, { get: () => nothing }) as Parameters<typeof menuTemplate>[1]
  const state = { texts, running: true, updates: 'ask', isDevelopment: false } as const
  const flat = (items: readonly object[]): Record<string, unknown>[] =>
    items.flatMap((item) => [
      { ...item },
      ...('submenu' in item && Array.isArray(item.submenu) ? flat(item.submenu) : []),
    ])

  test.each(['darwin', 'win32', 'linux'] as const)(
    'on %s every entry has a text, and no shortcut stands twice',
    (platform) => {
      for (const language of ['en', 'de', 'ru', 'zh-CN'] as const) {
        const items = flat(menuTemplate({ ...state, platform, texts: DESKTOP_TEXTS[language] }, acts))
        for (const item of items) if (item['type'] !== 'separator') expect(item['label']).toMatch(/\S/)
        const shortcuts = items.flatMap(({ accelerator }) => (accelerator === undefined ? [] : [accelerator]))
        expect(new Set(shortcuts).size).toBe(shortcuts.length)
        expect(shortcuts).toContain(platform === 'darwin' ? 'Cmd+,' : 'Ctrl+,')
      }
    },
  )

  test('only macOS has the menu of the program; development alone has its tools', () => {
    expect(menuTemplate({ ...state, platform: 'darwin' }, acts)[0]?.label).toBe('Latchkey')
    expect(menuTemplate({ ...state, platform: 'linux' }, acts)[0]?.label).toBe('File')
    const roles = (isDevelopment: boolean) =>
      flat(menuTemplate({ ...state, platform: 'linux', isDevelopment }, acts)).map(({ role }) => role)
    expect(roles(false)).not.toContain('toggleDevTools')
    expect(roles(true)).toContain('toggleDevTools')
  })

  test('without a server nothing can be asked of it', () => {
    const items = flat(menuTemplate({ ...state, platform: 'linux', running: false }, acts))
    expect(items.find(({ label }) => label === texts.newStartupToken)?.['enabled']).toBe(false)
    const tray = trayTemplate({ texts, url: undefined, lan: { on: true, urls: [] } }, acts as never)
    expect(tray.map(({ label }) => label)).toContain(texts.stopped)
    expect(tray.map(({ label }) => label)).not.toContain(texts.lan)
  })

  test('the tray shows the address, the network switch with its addresses, the token and the end', () => {
    const switched: boolean[] = []
    const tray = trayTemplate(
      { texts, url: 'http://127.0.0.1:8787', lan: { on: true, urls: ['https://latchkey.local:8787'] } },
      { ...(acts as never as Parameters<typeof trayTemplate>[1]), switchLan: (on) => switched.push(on) },
    )
    expect(tray.map(({ label }) => label).filter((label) => label !== undefined)).toEqual([
      texts.show,
      'http://127.0.0.1:8787',
      texts.lan,
      'https://latchkey.local:8787',
      texts.newStartupToken,
      texts.quit,
    ])
    const lan = tray.find(({ label }) => label === texts.lan)
    expect(lan?.checked).toBe(true)
    lan?.click?.({ checked: false } as never, undefined, {} as never)
    expect(switched).toEqual([false])
  })

  test('no language lacks a text, none is left in English by mistake', () => {
    for (const language of ['de', 'ru', 'zh-CN'] as const) {
      const same = Object.entries(DESKTOP_TEXTS[language]).filter(([key, text]) => Reflect.get(texts, key) === text)
      expect(same.map(([key]) => key)).toEqual(language === 'de' ? ['audit'] : [])
    }
  })

  test.each([
    [undefined, ['de-AT', 'en'], 'de'],
    [undefined, ['zh-Hans-CN'], 'zh-CN'],
    [undefined, ['fr-FR', 'ru'], 'ru'],
    [undefined, ['fr'], 'en'],
    ['ru', ['de'], 'ru'],
  ] as const)('chosen %s, system %j: %s', (chosen, preferred, language) => {
    expect(pickLanguage(chosen, preferred)).toBe(language)
  })
})

test('a data directory that another server holds is explained, not just named', () => {
  const { options, answers } = startQuestion(texts, { code: 'DATA_DIR_LOCKED', message: '/data is held' })
  expect(options.message).toBe(texts.lockedTitle)
  expect(options.detail).toContain('/data is held')
  expect(answers).toEqual(['retry', 'log', 'quit'])
})

describe('quitting', () => {
  test('waits for the server, once, and goes on even when that cannot be stopped', async () => {
    const order: string[] = []
    const quit = createQuit({
      stopServer: async () => {
        order.push('stop')
        throw new Error('it hangs')
      },
      quit: () => order.push('quit'),
    })
    const event = () => ({ preventDefault: () => order.push('held') })
    expect(quit.isQuitting()).toBe(false)
    quit.beforeQuit(event())
    quit.beforeQuit(event())
    expect(quit.isQuitting()).toBe(true)
    await expect.poll(() => order).toEqual(['held', 'stop', 'held', 'quit'])
    quit.beforeQuit(event())
    expect(order).toEqual(['held', 'stop', 'held', 'quit'])
  })
})

describe('updates', () => {
  function buildUpdates({ askFirst = true, wants = true, found = true, hasFeed = true } = {}) {
    const order: string[] = []
    const updater: Updater = {
      autoDownload: true,
      autoInstallOnAppQuit: true,
      checkForUpdates: async () => ({ isUpdateAvailable: found, updateInfo: { version: '2.0.0' } }),
      downloadUpdate: async () => order.push(`download, at quit: ${updater.autoInstallOnAppQuit}`),
      quitAndInstall: () => order.push('install'),
    }
    const updates = createUpdates({
      load: async () => {
        order.push('load')
        return updater
      },
      hasFeed: () => hasFeed,
      askFirst: () => askFirst,
      wanted: async (version) => {
        order.push(`asked for ${version}`)
        return wants
      },
      stopServer: async () => void order.push('stop'),
      log: nothing,
    })
    return { updates, order, updater }
  }

  test('are not fetched before somebody agreed, and the server stops before the program is replaced', async () => {
    const { updates, order } = buildUpdates()
    expect(await updates.check()).toBe('found')
    await expect.poll(() => order).toEqual(['load', 'asked for 2.0.0', 'download, at quit: false', 'stop', 'install'])
  })

  test('are left alone when nobody wants them', async () => {
    const { updates, order, updater } = buildUpdates({ wants: false })
    await updates.check()
    await expect.poll(() => order).toEqual(['load', 'asked for 2.0.0'])
    expect(updater.autoInstallOnAppQuit).toBe(false)
  })

  test('without asking, they wait for the next quit, which the updater must know before it downloads', async () => {
    const { updates, order, updater } = buildUpdates({ askFirst: false })
    expect(updates.mode()).toBe('automatic')
    await updates.check()
    await expect.poll(() => order).toEqual(['load', 'download, at quit: true'])
    expect(updater.autoDownload).toBe(false)
    // Looking again does not take back what waits for the quit.
    await updates.check()
    expect(updater.autoInstallOnAppQuit).toBe(true)
  })

  test('in a package without a feed nobody is asked, not even by loading the updater', async () => {
    const { updates, order } = buildUpdates({ hasFeed: false })
    expect(await updates.check()).toBe('not-set-up')
    expect(order).toEqual([])
  })

  test('there are none in development; a feed that cannot be reached does no harm', async () => {
    const deps = {
      hasFeed: () => true,
      askFirst: () => true,
      wanted: async () => true,
      stopServer: async () => {},
      log: nothing,
    }
    const none = createUpdates({ load: undefined, ...deps })
    expect(none.mode()).toBe('none')
    expect(await none.check()).toBe('unavailable')
    const broken = createUpdates({ load: () => Promise.reject(new Error('offline')), ...deps })
    expect(await broken.check()).toBe('unavailable')
  })
})
