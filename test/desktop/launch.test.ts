import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron, type ElectronApplication, type Page } from 'playwright-core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { desktop } from '../../api/desktop.ts'
import { ADMIN } from '../helpers/visitor.ts'

// True launches of the desktop app: `npm run test:desktop` runs them where Electron is there.

const ROOT = join(import.meta.dirname, '..', '..')
let directory: string
let app: ElectronApplication | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'latchkey-launch-'))
})
afterEach(async () => {
  await app?.close().catch(() => {})
  app = undefined
  await rm(directory, { recursive: true, force: true, maxRetries: 5 })
})

async function launch(...words: string[]): Promise<Page> {
  const executablePath = process.env['LATCHKEY_ELECTRON']
  if (executablePath === undefined) throw new Error('Run this by `npm run test:desktop`.')
  const isRoot = process.getuid?.() === 0
  const args = [ROOT, ...(isRoot ? ['--no-sandbox'] : []), '--data-dir', directory, ...words]
  app = await _electron.launch({ executablePath, args, timeout: 60_000 })
  return app.firstWindow()
}

/** The first superuser, made in the window, which opened the set-up with its token. */
async function setUp(page: Page): Promise<void> {
  await page.waitForURL(/\/setup$/)
  await page.locator('input[name=username]').fill(ADMIN.username)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(ADMIN.password)
  await page.locator('button[type=submit]').click()
  await page.waitForURL((url) => url.pathname === '/')
}

test('its first start opens the set-up already holding its token, in a window that has only its bridge', async () => {
  const page = await launch()
  await setUp(page)
  const reach = await page.evaluate(() => ({
    node: typeof Reflect.get(window, 'require') + typeof Reflect.get(window, 'process'),
    bridge: Object.keys(Reflect.get(window, 'latchkey')),
  }))
  expect(reach).toEqual({ node: 'undefinedundefined', bridge: Object.keys(desktop) })
  const info = await page.evaluate(() => Reflect.get(window, 'latchkey').info())
  expect(desktop.info.output.parse(info).data_directory).toBe(directory)
})

test('leaves its own pages nowhere, is refused every permission, and loads nothing from elsewhere', async () => {
  const page = await launch()
  await setUp(page)
  const origin = new URL(page.url()).origin
  await app?.evaluate(({ shell }) => {
    const opened: string[] = []
    Object.assign(globalThis, { opened })
    shell.openExternal = async (url) => void opened.push(url)
  })
  for (const target of ['https://example.org/', 'http://example.org/', 'file:///', 'http://127.0.0.1:9/'])
    await page.evaluate((to) => location.assign(to), target)
  await page.evaluate(() => void window.open('https://example.org/new'))
  await expect
    .poll(() => app?.evaluate(() => Reflect.get(globalThis, 'opened')))
    .toEqual(['https://example.org/', 'https://example.org/new'])
  expect(new URL(page.url()).origin).toBe(origin)
  expect(app?.windows()).toHaveLength(1)
  expect(await page.evaluate(() => Notification.requestPermission())).toBe('denied')
})

test('closing hides the window, a second start shows it again, and quitting leaves everything written', async () => {
  const page = await launch()
  await setUp(page)
  await app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
  const isVisible = () => app?.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isVisible())
  await expect.poll(isVisible).toBe(false)
  await app?.evaluate(
    ({ app: electron }) => void electron.emit('second-instance', {}, ['latchkey', 'latchkey://open/users']),
  )
  await expect.poll(isVisible).toBe(true)
  await page.waitForURL(/\/users$/)
  const ended = new Promise((resolve) => app?.process().once('exit', resolve))
  await app?.evaluate(({ app: electron }) => electron.quit())
  expect(await ended).toBe(0)
  expect(await readFile(join(directory, 'latchkey.log'), 'utf8')).toContain('"event":"stopped"')
  const again = await launch()
  await again.waitForURL((url) => ['/', '/login'].includes(url.pathname))
})
