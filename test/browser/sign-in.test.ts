import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { ADMIN, createUser } from '../helpers/visitor.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { expectQuiet, fillSignIn, heading, inConsole, keptByBrowser, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
  const admin = await setUp(latchkey)
  await createUser(admin, { username: 'carl', password: 'plain user kettle' })
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('a wrong password is told, the focus goes to the message, and the right one then signs in', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await page.goto('/login')
  await fillSignIn(page, ADMIN.username, 'not my password')
  const refusal = page.getByTestId('refusal')
  await refusal.waitFor()
  expect(await refusal.textContent()).toBe('User name or password is wrong.')
  expect(await page.getByRole('alert').first().textContent()).toBe('User name or password is wrong.')
  expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('User name or password is wrong.')

  await page.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await page.keyboard.press('Enter')
  await inConsole(page)
  expect(new URL(page.url()).pathname).toBe('/')
  expectQuiet(person)
})

test('three failures bring a cool-down whose seconds count', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  for (const guess of ['one', 'two', 'three', 'four']) {
    if (await page.getByText('Too many failed attempts').count()) break
    const answer = page.waitForResponse('**/api/auth/login')
    await fillSignIn(page, 'nobody', guess)
    await answer
    await page.getByTestId('refusal').waitFor()
  }
  const waiting = page.getByTestId('refusal')
  await page
    .getByText(/Try again in \d+ seconds/)
    .last()
    .waitFor()
  const before = await waiting.textContent()
  await expect.poll(() => waiting.textContent(), { timeout: 5_000 }).not.toBe(before)
  expect(await page.getByRole('button', { name: 'Sign in' }).isDisabled()).toBe(true)
})

test('empty fields are told at the fields', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await page.getByRole('button', { name: 'Sign in' }).click()
  expect(await page.getByText('Please fill this in.').count()).toBe(2)
  expect(await page.getByLabel('User name').evaluate((field) => field === document.activeElement)).toBe(true)
})

test('the address that was asked for is honoured, once', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/account')
  await heading(page, 'Sign in')
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await heading(page, 'My account')
  expect(page.url()).toBe(`${latchkey.url}/account`)
})

test.each(['//evil.example', '/\\evil.example', 'javascript:alert(1)'])(
  'a return address of %s does not lead away',
  async (address) => {
    const { page } = await visit(browser, latchkey.url)
    await page.goto(`/login?returnUrl=${encodeURIComponent(address)}`)
    await fillSignIn(page, ADMIN.username, ADMIN.password)
    await inConsole(page)
    expect(new URL(page.url()).origin).toBe(latchkey.url)
  },
)

test('the keyboard alone signs in and out', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await heading(page, 'Sign in')
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('username')
  await page.keyboard.type(ADMIN.username)
  await page.keyboard.press('Tab')
  await page.keyboard.type(ADMIN.password)
  await page.keyboard.press('Tab')
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Show password')
  await page.keyboard.press('Enter')
  expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text')
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await inConsole(page)

  await page.getByRole('button', { name: /Account of/ }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
  await page.keyboard.press('ArrowUp')
  await page.keyboard.press('Enter')
  await heading(page, 'Sign in')
})

test('signed-in people do not see the sign-in page, and signed-out people never see the console', async () => {
  const { page } = await visit(browser, latchkey.url)
  await page.addInitScript(() => {
    new MutationObserver(() => {
      if (document.querySelector('nav')) document.documentElement.dataset['flashed'] = 'yes'
    }).observe(document, { subtree: true, childList: true })
  })
  await page.goto('/users')
  await heading(page, 'Sign in')
  expect(await page.evaluate(() => document.documentElement.dataset['flashed'])).toBeUndefined()
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await inConsole(page)
  await page.goto('/login')
  await inConsole(page)
})

test('people without the right see no users page', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signIn(page, 'carl', 'plain user kettle')
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0)
  await page.goto('/users')
  await heading(page, 'Nothing here')
})

test('the language changes in place and is remembered, and nothing secret is kept', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await page.goto('/login')
  await page.getByLabel('Language').selectOption('de')
  await heading(page, 'Anmelden')
  expect(await page.evaluate(() => document.documentElement.lang)).toBe('de')
  await page.reload()
  await heading(page, 'Anmelden')
  await page.getByLabel('Sprache').selectOption('ru')
  await heading(page, 'Вход')
  await page.getByLabel('Язык').selectOption('zh-CN')
  await heading(page, '登录')
  await page.getByLabel('语言').selectOption('en')
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await inConsole(page)
  const kept = await keptByBrowser(page)
  expect(kept).not.toContain(ADMIN.password)
  expect(
    Object.keys(await page.evaluate(() => ({ ...localStorage }))).every((key) =>
      /^latchkey\.(theme|language)$/.test(key),
    ),
  ).toBe(true)
  expectQuiet(person)
})

test("the browser's own language is the first choice", async () => {
  const { page } = await visit(browser, latchkey.url, { locale: 'ru-RU' })
  await page.goto('/login')
  await heading(page, 'Вход')
})

test('a chosen appearance is there before the first paint', async () => {
  const { page } = await visit(browser, latchkey.url, { scheme: 'light' })
  await page.goto('/login')
  await page.getByRole('button', { name: /Appearance: As the system/ }).click()
  await page.getByRole('button', { name: /Appearance: Light/ }).click()
  await page.getByRole('button', { name: /Appearance: Dark/ }).waitFor()
  await page.route('**/assets/*.js', (route) => route.abort())
  await page.reload({ waitUntil: 'commit' })
  await expect
    .poll(() => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor))
    .toBe('rgb(16, 25, 28)')
})

test('another account joins, can be switched to, and signing out can go on as it', async () => {
  const { page } = await visit(browser, latchkey.url)
  await signIn(page)
  await page.getByRole('button', { name: 'Account of ann' }).click()
  await page.getByRole('menuitem', { name: 'Add another account' }).click()
  await heading(page, 'Add another account')
  await fillSignIn(page, 'carl', 'plain user kettle')
  await heading(page, 'Hello, carl')
  await page.getByRole('button', { name: 'Account of carl' }).click()
  await page.getByRole('menuitem', { name: 'Switch to ann' }).click()
  await heading(page, 'Hello, ann')
  await page.getByRole('button', { name: 'Account of ann' }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Go on as carl' }).click()
  await heading(page, 'Hello, carl')
})
