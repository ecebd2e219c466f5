import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { desktop } from '../../api/desktop.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser } from '../helpers/visitor.ts'
import { signInAt, visit } from './visit.ts'

// The page as it stands in the window of the desktop app, whose bridge notes here what it is asked.

let browser: Browser
let latchkey: TestServer

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  await buildSuperuser(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function visitDesktop() {
  const person = await visit(browser, latchkey.url)
  await person.page.addInitScript((acts) => {
    const asked: string[][] = []
    const info = {
      version: '1.2.3',
      platform: 'linux',
      keys: 'file',
      data_directory: '/home/ann/latchkey',
      log_file: '/home/ann/latchkey/latchkey.log',
      updates: 'ask',
    }
    const answers: Record<string, unknown> = { info, checkForUpdates: 'none' }
    const act = (name: string) => async (input?: string) => {
      asked.push(input === undefined ? [name] : [name, input])
      return answers[name] ?? {}
    }
    Object.assign(window, { asked, latchkey: Object.fromEntries(acts.map((name) => [name, act(name)])) })
  }, Object.keys(desktop))
  return person
}

const askedOf = (page: Page) => page.evaluate(() => Reflect.get(window, 'asked') as string[][])

test('the startup token that the app hands over is in its field, and used at the press only', async () => {
  const { page } = await visitDesktop()
  const logins: string[] = []
  page.on('request', (request) => request.url().endsWith('/api/auth/login') && logins.push(request.method()))
  const token = latchkey.mintStartupToken()
  await page.goto(`/login#startup_token=${token}`)
  const field = page.getByLabel('Startup token', { exact: true })
  await field.waitFor()
  expect(await field.inputValue()).toBe(token)
  expect(new URL(page.url()).hash).toBe('')
  expect(logins).toEqual([])
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await expect.poll(() => logins).toEqual(['POST'])
  await page.waitForURL((url) => url.pathname === '/' || url.pathname === '/login')
})

test('menus follow the language of the page; the settings show what the app says of itself', async () => {
  const { page } = await visitDesktop()
  await signInAt(page, '/settings')
  await page.getByText('/home/ann/latchkey', { exact: true }).waitFor()
  await page.getByText('in a file that only its owner may read').waitFor()
  await page.getByRole('button', { name: 'Open the log' }).click()
  await page.getByRole('button', { name: 'Check for updates' }).click()
  await page.getByText('This is the newest version.').waitFor()
  expect(await askedOf(page)).toEqual([['speak', 'en'], ['info'], ['openLog'], ['checkForUpdates']])
})

test('in a browser there is none of it', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signInAt(page, '/settings')
  await page.getByRole('heading', { name: 'Audit', exact: true }).first().waitFor()
  expect(await page.getByText('Desktop app').count()).toBe(0)
})

test('a provider is never shown in the window: its sign-in is a pairing that goes on in the browser of the system', async () => {
  const { page } = await visitDesktop()
  const elsewhere: string[] = []
  page.on('request', (request) => request.url().includes('/api/auth/start?') && elsewhere.push(request.url()))
  await page.goto('/login')
  await page.getByRole('tab', { name: 'ATProto account' }).click()
  await page.getByRole('combobox', { name: 'Handle' }).fill('ann.example.org')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Open the browser' }).click()
  const asked = await askedOf(page)
  expect(asked.at(-1)?.[0]).toBe('openInBrowser')
  expect(desktop.openInBrowser.input.safeParse(asked.at(-1)?.[1]).success).toBe(true)
  expect(elsewhere).toEqual([])
})
