import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { ADMIN } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { fillSignIn, heading, inConsole, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
  await setUp(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

async function restart(): Promise<void> {
  latchkey = await startLatchkey({ directory: latchkey.directory, port: new URL(latchkey.url).port })
}

test('a lost server is told on the whole page, which goes on by itself, with what was typed', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await page.getByLabel('User name').fill(ADMIN.username)
  await latchkey.halt()
  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await heading(page, 'The server does not answer')
  await restart()
  await heading(page, 'Sign in')
  expect(await page.getByLabel('User name').inputValue()).toBe(ADMIN.username)
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await inConsole(page)
})

test('in the console it comes back signed in, on the same page', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signIn(page)
  await page.getByRole('link', { name: 'My account' }).click()
  await page.getByText('This browser').waitFor()
  await latchkey.halt()
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await heading(page, 'The server does not answer')
  await restart()
  await heading(page, 'My account')
  expect(new URL(page.url()).pathname).toBe('/account')
})
