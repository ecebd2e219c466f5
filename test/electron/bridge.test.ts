import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { desktop, type DesktopActs } from '../../api/desktop.ts'
import { type Asking, openBridge } from '../../electron/bridge.ts'

const ORIGIN = 'http://127.0.0.1:8787'
const INFO = {
  version: '1.0.0',
  platform: 'linux',
  keys: 'file',
  data_directory: '/data',
  log_file: '/data/latchkey.log',
  updates: 'none',
} as const

const buildBridge = (overrides: Partial<DesktopActs> = {}) => buildBridgeAt(ORIGIN, overrides)

function buildBridgeAt(origin: string | undefined, overrides: Partial<DesktopActs> = {}) {
  const channels = new Map<string, (asking: Asking, ...inputs: unknown[]) => unknown>()
  const asked: unknown[] = []
  const told: string[] = []
  const note = (input?: unknown) => {
    asked.push(input)
    return {}
  }
  openBridge({
    handle: (channel, listener) => channels.set(channel, listener),
    ours: () => ({ origin, contents: 7 }),
    acts: {
      info: () => INFO,
      openLog: note,
      speak: note,
      restartServer: note,
      openInBrowser: note,
      checkForUpdates: () => 'none',
      ...overrides,
    },
    log: (text) => told.push(text),
  })
  const page: Asking = { senderFrame: { url: `${ORIGIN}/settings`, parent: null }, sender: { id: 7 } }
  const call = async (act: string, inputs: unknown[] = [], asking = page) =>
    channels.get(`latchkey:${act}`)?.(asking, ...inputs)
  return { channels, call, asked, told, page }
}

describe('the bridge', () => {
  test('has exactly what the table names, and nothing that makes a secret', () => {
    expect([...buildBridge().channels.keys()]).toEqual(Object.keys(desktop).map((act) => `latchkey:${act}`))
    expect(Object.keys(desktop)).toEqual([
      'info',
      'openLog',
      'speak',
      'restartServer',
      'openInBrowser',
      'checkForUpdates',
    ])
  })

  test('answers our own page', async () => {
    const { call, asked } = buildBridge()
    expect(await call('info')).toEqual(INFO)
    expect(await call('speak', ['de'])).toEqual({})
    expect(await call('openInBrowser', ['/pair#ABCD-2345'])).toEqual({})
    expect(asked).toEqual(['de', '/pair#ABCD-2345'])
  })

  test.each<[string, Asking]>([
    ['a page elsewhere', { senderFrame: { url: 'https://example.org/', parent: null }, sender: { id: 7 } }],
    ['another port', { senderFrame: { url: 'http://127.0.0.1:8788/', parent: null }, sender: { id: 7 } }],
    [
      'an address that only looks like ours',
      { senderFrame: { url: `${ORIGIN}@example.org/`, parent: null }, sender: { id: 7 } },
    ],
    ['a frame inside our page', { senderFrame: { url: `${ORIGIN}/`, parent: {} }, sender: { id: 7 } }],
    ['another window', { senderFrame: { url: `${ORIGIN}/`, parent: null }, sender: { id: 8 } }],
    ['a frame that is gone', { senderFrame: null, sender: { id: 7 } }],
  ])('refuses %s, entry by entry, and says no more than that', async (_who, asking) => {
    const { call, asked, told } = buildBridge()
    for (const act of Object.keys(desktop)) await expect(call(act, [], asking)).rejects.toThrow(/^Refused$/)
    expect(asked).toEqual([])
    expect(told).toHaveLength(Object.keys(desktop).length)
  })

  test.each(['about:blank', 'data:text/html,x', 'blob:null/1', `blob:${ORIGIN}/1`, 'file:///etc/passwd'])(
    'answers no page without an origin of its own, before the first server and after: %s',
    async (url) => {
      const asking = { senderFrame: { url, parent: null }, sender: { id: 7 } }
      for (const { call, asked } of [buildBridgeAt(undefined), buildBridgeAt('null'), buildBridge()]) {
        await expect(call('openLog', [], asking)).rejects.toThrow(/^Refused$/)
        expect(asked).toEqual([])
      }
    },
  )

  test.each([
    ['info', [1]],
    ['openLog', [undefined, 'more']],
    ['openLog', ['/etc/passwd']],
    ['speak', []],
    ['speak', ['xx']],
    ['speak', [['de']]],
    ['openInBrowser', ['https://example.org/']],
    ['openInBrowser', ['//example.org']],
    ['openInBrowser', ['/login#startup_token=x']],
    ['openInBrowser', ['/pair#ABCD-2345?']],
    ['openInBrowser', ['/api/auth/start?handle=x']],
    ['restartServer', [{}]],
  ])('refuses %s with %j', async (act, inputs) => {
    const { call, asked } = buildBridge()
    await expect(call(act, inputs)).rejects.toThrow(/^Refused$/)
    expect(asked).toEqual([])
  })

  test('lets nothing out that the table does not name', async () => {
    const { call } = buildBridge({ info: () => ({ ...INFO, secret: 'x' }) as never })
    await expect(call('info')).rejects.toThrow()
  })
})

describe('the preload script, as built', () => {
  const code = readFileSync(join(import.meta.dirname, '../../dist/preload/preload.cjs'), 'utf8')

  test('requires nothing but electron', () => {
    expect([...code.matchAll(/\brequire\(([^)]*)\)/g)].map(([, what]) => what)).toEqual(['"electron"'])
    expect(code).not.toMatch(/\bimport\b/)
  })

  test('gives the page one function for each entry, and neither ipcRenderer nor anything else', async () => {
    const exposed: Record<string, Record<string, (...input: unknown[]) => unknown>> = {}
    const invoked: unknown[][] = []
    const electron = {
      contextBridge: {
        exposeInMainWorld: (name: string, value: never) => (exposed[name] = value),
      },
      ipcRenderer: { invoke: (...all: unknown[]) => invoked.push(all) },
    }
    runInNewContext(code, { require: () => electron })
    expect(Object.keys(exposed)).toEqual(['latchkey'])
    expect(Object.keys(exposed['latchkey'] ?? {})).toEqual(Object.keys(desktop))
    exposed['latchkey']?.['speak']?.('de')
    expect(invoked).toEqual([['latchkey:speak', 'de']])
  })
})
