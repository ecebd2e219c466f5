import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { deepLinkIn, pathOfDeepLink } from '../../electron/deep-link.ts'
import { type Lockable, lockSession } from '../../electron/permissions.ts'
import { windowOptions } from '../../electron/window.ts'

test('every protection of the window is stated', () => {
  const { webPreferences } = windowOptions('/preload.cjs', { x: 0, y: 0, width: 900, height: 700, maximized: false })
  expect(webPreferences).toEqual({
    preload: '/preload.cjs',
    partition: 'persist:console',
    sandbox: true,
    contextIsolation: true,
    nodeIntegration: false,
    nodeIntegrationInWorker: false,
    nodeIntegrationInSubFrames: false,
    webSecurity: true,
    allowRunningInsecureContent: false,
    experimentalFeatures: false,
    webviewTag: false,
    navigateOnDragDrop: false,
    safeDialogs: true,
    spellcheck: false,
  })
})

test('every permission is refused, asked or not; nothing is loaded from elsewhere', () => {
  const granted: boolean[] = []
  const cancelled: boolean[] = []
  let spelling = true
  const session: Lockable = {
    setPermissionRequestHandler: (handler) => {
      for (const permission of ['media', 'geolocation', 'notifications', 'clipboard-read', 'openExternal', 'unknown'])
        handler({}, permission, (answer) => granted.push(answer))
    },
    setPermissionCheckHandler: (handler) => granted.push(handler()),
    setDevicePermissionHandler: (handler) => granted.push(handler()),
    setSpellCheckerEnabled: (enable) => (spelling = enable),
    webRequest: {
      onBeforeRequest: (listener) => {
        for (const url of ['http://127.0.0.1:8787/a.js', 'https://example.org/a.js'])
          listener({ url }, ({ cancel }) => cancelled.push(cancel))
      },
    },
  }
  lockSession(session, () => 'http://127.0.0.1:8787')
  expect(granted).toEqual(Array.from({ length: 8 }, () => false))
  expect(cancelled).toEqual([false, true])
  expect(spelling).toBe(false)
})

describe('a link of the scheme', () => {
  test.each([
    ['latchkey://open', '/'],
    ['latchkey://open/', '/'],
    ['latchkey://open/users', '/users'],
    ['latchkey://open/users/', '/users'],
    ['latchkey://open/login-tokens', '/login-tokens'],
    ['latchkey://open/unknown', undefined],
    ['latchkey://open/users?q=1', undefined],
    ['latchkey://open/setup', undefined],
    // No secret comes in by a link, wherever it stands.
    ['latchkey://open/login#startup_token=secret', undefined],
    ['latchkey://open/login/token', undefined],
    ['latchkey://open/pair#ABCD2345', undefined],
    ['latchkey://open//example.org', undefined],
    ['latchkey://open/../api/auth/logout', undefined],
    ['latchkey://evil/users', undefined],
    ['latchkey:open/users', undefined],
    ['LATCHKEY://open/users', undefined],
    ['latchkey://open/users\n', undefined],
  ])('%s means %s', (link, path) => {
    expect(pathOfDeepLink(link)).toBe(path)
  })

  test('is found among the arguments of a second start', () => {
    expect(deepLinkIn(['latchkey', '--flag', 'latchkey://open/users'])).toBe('latchkey://open/users')
    expect(deepLinkIn(['latchkey'])).toBeUndefined()
  })
})

test('Electron itself is imported in two files only', () => {
  const folder = join(import.meta.dirname, '..', '..', 'electron')
  const importers = readdirSync(folder).filter((name) =>
    /^import (?!type )[^;]*? from 'electron'$/m.test(readFileSync(join(folder, name), 'utf8')),
  )
  expect(importers.sort()).toEqual(['main.ts', 'preload.ts'])
})
