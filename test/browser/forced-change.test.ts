import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { createUser } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { expectQuiet, fillSignIn, heading, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

const TEMPORARY = 'Temporary-1234'

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
  const admin = await setUp(latchkey)
  for (const username of ['gail', 'hugo']) {
    await createUser(admin, { username, password: TEMPORARY, require_password_change: true, expires_hours: 24 })
  }
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('a temporary password holds its owner at the change form, on every address and after a reload', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await page.goto('/login')
  await fillSignIn(page, 'gail', TEMPORARY)
  await heading(page, 'Choose your own password')
  await page.reload()
  await heading(page, 'Choose your own password')
  for (const address of ['/', '/account', '/users', '/setup', '/no/such/page']) {
    await page.goto(address)
    await heading(page, 'Choose your own password')
    expect(await page.getByRole('navigation').count()).toBe(0)
  }
  await page.goto('/account')
  await heading(page, 'Choose your own password')

  const first = page.getByLabel('New password', { exact: true })
  const second = page.getByLabel('New password, once more')
  await first.fill(TEMPORARY)
  await second.fill(TEMPORARY)
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByText('The new password must differ from the old one.').waitFor()
  await first.fill('velvet mountain spoon')
  await second.fill('velvet mountain spoom')
  await page.getByText('The two passwords are not the same.').waitFor()
  await second.fill('velvet mountain spoon')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await heading(page, 'My account')
  expect(page.url()).toBe(`${latchkey.url}/account`)
  expectQuiet(person)
})

test('signing out is always possible there', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await fillSignIn(page, 'hugo', TEMPORARY)
  await heading(page, 'Choose your own password')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User name').waitFor()
  await page.goto('/account')
  await heading(page, 'Sign in')
})
