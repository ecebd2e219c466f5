import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { createUser } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { expectQuiet, fillSignIn, heading, signIn, signInAt, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
  const admin = await setUp(latchkey)
  for (let n = 10; n < 70; n++) await createUser(admin, { username: `person${n}`, email: `person${n}@example.org` })
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('the list is searched, filtered and continued', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signIn(page)
  await page.getByRole('link', { name: 'Users' }).click()
  await page.getByText('61 users').waitFor()
  const rows = page.getByRole('table', { name: 'Users' }).getByRole('row')
  await expect.poll(() => rows.count()).toBe(51)
  await page.getByRole('button', { name: 'Show more' }).click()
  await expect.poll(() => rows.count()).toBe(62)
  await page.getByLabel('Search name or mail address').fill('person42')
  await page.getByText('1 user', { exact: true }).waitFor()
  await page.getByLabel('Search name or mail address').fill('nobody at all')
  await heading(page, 'Nobody here fits.')
  await page.getByLabel('Search name or mail address').fill('')
  await page.getByLabel('Show', { exact: true }).press('Enter')
  await page.getByRole('option', { name: 'Superusers' }).click()
  await page.getByText('1 user', { exact: true }).waitFor()
  expectQuiet(person)
})

test('a new user gets a generated password, shown once, and comes in with it', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signInAt(page, '/users')
  await page.getByRole('button', { name: 'New user' }).click()
  const dialog = page.getByRole('dialog', { name: 'New user' })
  await dialog.getByLabel('User name').fill('person10')
  await dialog.getByRole('button', { name: 'Generate' }).click()
  await dialog.getByRole('button', { name: 'New user' }).click()
  await dialog.getByText('This user name is taken.').waitFor()
  await dialog.getByLabel('User name').fill('ingrid')
  await dialog.getByLabel('Audit log').check()
  await dialog.getByRole('button', { name: 'New user' }).click()
  const result = page.getByRole('dialog', { name: 'Account created' })
  const password = (await result.getByRole('group', { name: 'Password' }).textContent()) ?? ''
  expect(password).toHaveLength(16)
  await result.getByRole('button', { name: 'Close' }).click()
  await page.getByLabel('Search name or mail address').fill('ingrid')
  await page.getByText(/Temporary password · ends/).waitFor()

  const other = await visit(browser, latchkey.url)
  await other.page.goto('/login')
  await fillSignIn(other.page, 'ingrid', password)
  await heading(other.page, 'Choose your own password')
})

test('the last superuser stays one, and the dialog says why', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signInAt(page, '/users')
  await page.getByLabel('Search name or mail address').fill('ann')
  await page.getByRole('button', { name: 'Edit ann' }).click()
  const dialog = page.getByRole('dialog', { name: 'Edit ann' })
  await dialog.getByLabel(/Superuser/).uncheck()
  await dialog.getByRole('button', { name: 'Save' }).click()
  await dialog.getByTestId('refusal').waitFor()
  expect(await dialog.getByTestId('refusal').textContent()).toContain('last enabled superuser')
})
