import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { ADMIN } from '../helpers/visitor.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser } from '../helpers/visitor.ts'
import { expectQuiet, fillSignIn, heading, inConsole, signIn, visit } from './visit.ts'

/** In-process, because codes follow the clock and each counts once: the clock must be ours. */
let browser: Browser
let latchkey: TestServer
let secret = ''
let recoveryCodes: string[] = []

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  await buildSuperuser(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

/** The code of a moment that no code was used in yet. */
function nextCode(): string {
  latchkey.clock.advance(30_000)
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: latchkey.clock() })
}

async function toCodeStage(page: Page): Promise<void> {
  await page.goto('/login')
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await heading(page, 'Two-step sign-in')
}

test('setting it up: who is there is asked again, then key, code and recovery codes', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signIn(page)
  latchkey.clock.advance(20 * 60_000)
  await page.getByRole('link', { name: 'Switch on' }).click()

  const again = page.getByRole('dialog', { name: 'Is it still you?' })
  await again.getByLabel('Password', { exact: true }).fill('not my password')
  await again.getByRole('button', { name: 'Confirm' }).click()
  await again.getByText('That is not right. Please try again.').waitFor()
  await again.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await page.keyboard.press('Enter')

  const enrol = page.getByRole('dialog', { name: 'Connect your authenticator app' })
  await enrol.getByRole('img', { name: /QR code/ }).waitFor()
  secret = ((await enrol.getByRole('group', { name: 'Key' }).textContent()) ?? '').replaceAll(' ', '')
  await enrol.getByRole('textbox', { name: 'Code' }).fill('000000')
  await enrol.getByRole('button', { name: 'Switch on' }).click()
  await enrol
    .getByText(/The code is wrong/)
    .last()
    .waitFor()
  await enrol.getByRole('textbox', { name: 'Code' }).fill(nextCode())
  await page.keyboard.press('Enter')

  const codes = page.getByRole('dialog', { name: 'Your recovery codes' })
  await codes.getByRole('listitem').first().waitFor()
  recoveryCodes = await codes.getByRole('listitem').allTextContents()
  expect(recoveryCodes.length).toBeGreaterThanOrEqual(8)
  const saving = page.waitForEvent('download')
  await codes.getByRole('button', { name: 'Download' }).click()
  expect((await saving).suggestedFilename()).toBe('latchkey-recovery-codes.txt')
  await codes.getByRole('button', { name: 'I have kept them' }).click()
  await page.getByRole('button', { name: 'New recovery codes' }).waitFor()
  expectQuiet(person)
})

test('a wrong code is told at the field; the right one signs in, and the browser can be trusted', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toCodeStage(page)
  const field = page.getByLabel('Code', { exact: true })
  await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true)
  expect(await field.getAttribute('autocomplete')).toBe('one-time-code')
  await field.fill('12345')
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await page.getByText('Enter the six digits from your app.').waitFor()
  await field.fill(nextCode())
  await page.getByLabel('Trust this browser for 30 days').check()
  await page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await inConsole(page)

  await page.getByRole('button', { name: /Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await inConsole(page)

  await page.getByRole('link', { name: 'My account' }).click()
  await page.getByRole('button', { name: /Forget the browser/ }).click()
  await page.getByText('No browser is trusted.').waitFor()
  expectQuiet(person)
})

test('a recovery code signs in once', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toCodeStage(page)
  await page.getByRole('button', { name: 'Use a recovery code' }).click()
  await page.getByLabel('Recovery code').fill(recoveryCodes[0] ?? '')
  await page.keyboard.press('Enter')
  await inConsole(page)

  const other = await visit(browser, latchkey.url)
  await toCodeStage(other.page)
  await other.page.getByRole('button', { name: 'Use a recovery code' }).click()
  await other.page.getByLabel('Recovery code').fill(recoveryCodes[0] ?? '')
  await other.page.keyboard.press('Enter')
  await other.page
    .getByText(/wrong or was already used/)
    .last()
    .waitFor()
})

test('switching it off needs a code', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toCodeStage(page)
  await page.getByLabel('Code', { exact: true }).fill(nextCode())
  await page.keyboard.press('Enter')
  await inConsole(page)
  await page.getByRole('link', { name: 'My account' }).click()
  await page.getByRole('button', { name: 'Switch off' }).click()
  const dialog = page.getByRole('dialog', { name: 'Switch two-step sign-in off?' })
  await dialog.getByLabel('Code', { exact: true }).fill(nextCode())
  await dialog.getByRole('button', { name: 'Switch off' }).click()
  await page.getByRole('button', { name: 'Set up' }).waitFor()
})
