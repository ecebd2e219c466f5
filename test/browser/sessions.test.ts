import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { ADMIN } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { expectQuiet, heading, inConsole, signIn, visit } from './visit.ts'

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

test('ending the other sessions in one browser signs the other browser out', async () => {
  const one = await visit(browser, latchkey.url)
  const two = await visit(browser, latchkey.url)
  await signIn(one.page)
  await signIn(two.page)
  await one.page.getByRole('link', { name: 'My account' }).click()
  await one.page.getByText('This browser').waitFor()
  await one.page.getByText('this machine').first().waitFor()
  await one.page
    .getByText(/Chrom(e|ium) on Linux/)
    .first()
    .waitFor()
  await one.page.getByRole('button', { name: 'End all others' }).click()
  await one.page.getByRole('dialog').getByRole('button', { name: 'End all others' }).click()
  await one.page.getByText(/other sessions? ended/).waitFor()

  await two.page.getByRole('link', { name: 'My account' }).click()
  await heading(two.page, 'Sign in')
  await two.page.getByText('Your session has ended. Please sign in again.').waitFor()
  await one.page.reload()
  await inConsole(one.page)
  expectQuiet(one, two)
})

test('a browser that only comes back into view notices it too', async () => {
  const one = await visit(browser, latchkey.url)
  const two = await visit(browser, latchkey.url)
  await signIn(one.page)
  await signIn(two.page)
  // Loaded anew: what the overview showed before the other came in is not to be counted.
  await one.page.goto('/account')
  const ends = one.page.getByRole('button', { name: /End the session/ })
  await ends.first().waitFor()
  const before = await ends.count()
  await ends.first().click() // the newest use first: that is the other browser
  await expect.poll(() => ends.count()).toBe(before - 1)
  await two.page.evaluate(() => window.dispatchEvent(new Event('focus')))
  await heading(two.page, 'Sign in')
})

test('signing out in one tab signs the other tab out', async () => {
  const { context, page } = await visit(browser, latchkey.url)
  await signIn(page)
  const other = await context.newPage()
  await other.goto('/account')
  await heading(other, 'My account')
  await page.getByRole('button', { name: /Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await heading(page, 'Sign in')
  await heading(other, 'Sign in')
})

test('changing the password keeps this browser signed in and ends the rest', async () => {
  const one = await visit(browser, latchkey.url)
  const two = await visit(browser, latchkey.url)
  await signIn(one.page)
  await signIn(two.page)
  await one.page.goto('/account')
  const { page } = one
  await page.getByLabel('Current password').fill('not my password')
  await page.getByLabel('New password', { exact: true }).fill('amber window tractor')
  await page.getByLabel('New password, once more').fill('amber window tractor')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('The current password is wrong.').waitFor()
  await page.getByLabel('Current password').fill(ADMIN.password)
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Password changed. All other sessions have ended.').waitFor()
  await page.reload()
  await inConsole(page)
  await two.page.goto('/users')
  await heading(two.page, 'Sign in')
  expectQuiet(one, two)
})
