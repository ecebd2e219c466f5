import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { type Latchkey, startLatchkey } from './latchkey.ts'
import { expectQuiet, heading, inConsole, keptByBrowser, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('before set-up every address leads to it, with a field for the setup token', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/users')
  await heading(page, 'Welcome to Latchkey')
  expect(new URL(page.url()).pathname).toBe('/setup')
  await page.getByLabel('Setup token').waitFor()
  await page.getByLabel('Setup token').fill('wrong-setup-token')
  await page.getByLabel('User name').fill('mallory')
  await page.getByLabel('Password', { exact: true }).fill('three unrelated words')
  await page.getByLabel('New password, once more').fill('three unrelated words')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('The set-up token is not valid').first().waitFor()
})

test('the setup link makes the first superuser and leaves no trace of its token', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  await page.goto(latchkey.setupLink)
  await heading(page, 'Welcome to Latchkey')
  expect(page.url()).toBe(`${latchkey.url}/setup`)
  expect(await page.getByLabel('Setup token').count()).toBe(0)

  await page.getByLabel('User name').fill('Ann')
  const first = page.getByLabel('Password', { exact: true })
  const second = page.getByLabel('New password, once more')
  await first.fill('short')
  await second.fill('different')
  await page.getByText('At least 8 characters.').waitFor()
  await page.getByText('The two passwords are not the same.').waitFor()
  await first.fill('password')
  await second.fill('password')
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByText('on the lists that attackers try first').waitFor()
  expect(await first.evaluate((field) => field === document.activeElement)).toBe(true)

  await first.fill('violet harbour kettle')
  await second.fill('violet harbour kettle')
  await page.getByText('The passwords match.').waitFor()
  await page.getByRole('button', { name: 'Create account' }).click()
  await inConsole(page)
  await heading(page, 'Hello, ann')

  expect(await keptByBrowser(page)).not.toContain(latchkey.setupToken)
  expect(asked.join(' ')).not.toContain(latchkey.setupToken)
  await page.goBack()
  expect(page.url()).not.toContain(latchkey.setupToken)
  expectQuiet(person)
})

test('afterwards the set-up page says that it is done', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto(latchkey.setupLink)
  await heading(page, 'Already set up')
  await page.getByRole('link', { name: 'Go to sign-in' }).click()
  await heading(page, 'Sign in')
})
