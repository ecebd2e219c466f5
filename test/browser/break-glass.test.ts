import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { ADMIN } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { expectQuiet, fillSignIn, heading, inConsole, keptByBrowser, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey({ startupToken: true })
  await setUp(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('a startup token lets the superuser in, who sets a new password without the old one', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await page.goto('/login')
  await page.getByText('A startup token is waiting').waitFor()
  await page.getByRole('button', { name: 'Use a startup token' }).click()
  await page.getByLabel('Startup token').fill('not the startup token')
  await page.keyboard.press('Enter')
  await page.getByText('The startup token is wrong, used up or no longer valid.').last().waitFor()
  await page.getByLabel('Startup token').fill(`  ${latchkey.startupToken}  `)
  await page.keyboard.press('Enter')

  await heading(page, 'Set a new password?')
  expect(await page.getByLabel('Current password').count()).toBe(0)
  await page.getByLabel('New password', { exact: true }).fill('amber window tractor')
  await page.getByLabel('New password, once more').fill('amber window tractor')
  await page.getByRole('button', { name: 'Set new password' }).click()
  await heading(page, 'Hello, ann')
  await page.getByText('You sign in with a password of your own.').waitFor()
  expect(await keptByBrowser(page)).not.toContain(latchkey.startupToken)
  expectQuiet(person)
})

test('afterwards the new password works, the token and the old password do not', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await heading(page, 'Sign in')
  expect(await page.getByText('A startup token is waiting').count()).toBe(0)
  await page.getByRole('button', { name: 'Use a startup token' }).click()
  await page.getByLabel('Startup token').fill(latchkey.startupToken)
  await page.keyboard.press('Enter')
  await page.getByText('The startup token is wrong, used up or no longer valid.').last().waitFor()
  await page.getByRole('button', { name: 'Use a password instead' }).click()
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await page.getByText('User name or password is wrong.').last().waitFor()
  await fillSignIn(page, ADMIN.username, 'amber window tractor')
  await inConsole(page)
})
