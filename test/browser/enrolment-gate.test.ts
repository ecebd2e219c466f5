import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectQuiet, fillSignIn, heading, inConsole, signIn, visit } from './visit.ts'

/** In-process, because codes follow the clock: it must be ours. */
let browser: Browser
let latchkey: TestServer
let admin: Visitor

const PASSWORD = 'plain user kettle'
const TEMPORARY = 'Temporary-1234'
const MINUTE = 60_000

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const { secret } = dataOf(await admin.client.auth.totpSetup())
  dataOf(await admin.client.auth.totpConfirm({ body: { code: codeFor(secret) } }))
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

function codeFor(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: latchkey.clock() })
}

async function demand(mfa_demand: 'nobody' | 'administrators' | 'everybody'): Promise<void> {
  dataOf(await admin.client.settings.change({ body: { mfa_demand } }))
}

async function enrol(page: Page): Promise<void> {
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  const secret = ((await page.getByRole('group', { name: 'Key' }).textContent()) ?? '').replaceAll(' ', '').trim()
  await page.getByLabel('Code', { exact: true }).fill(codeFor(secret))
  await page.getByRole('button', { name: 'Switch on' }).click()
  await heading(page, 'Your recovery codes')
}

async function chooseOwn(page: Page): Promise<void> {
  await heading(page, 'Choose your own password')
  await page.getByLabel('New password', { exact: true }).fill('velvet mountain spoon')
  await page.getByLabel('New password, once more').fill('velvet mountain spoon')
  await page.getByRole('button', { name: 'Save and go on' }).click()
}

test('temporary password and second factor both due: change, enrol, keep the codes, in; a reload on the way is no matter', async () => {
  await demand('everybody')
  await createUser(admin, { username: 'gail', password: TEMPORARY, require_password_change: true, expires_hours: 24 })
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await page.goto('/account')
  await fillSignIn(page, 'gail', TEMPORARY)
  await chooseOwn(page)
  await heading(page, 'Set up two-step sign-in')
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  const field = page.getByLabel('Code', { exact: true })
  await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true)

  for (const address of ['/', '/users', '/account']) {
    await page.goto(address)
    await heading(page, 'Set up two-step sign-in')
    expect(await page.getByRole('navigation').count()).toBe(0)
  }
  await page.reload()
  await page.getByRole('img', { name: /QR code/ }).waitFor()
  await field.fill('12345')
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page.getByText('Enter the six digits from your app.').waitFor()
  await field.fill('000000')
  await page.getByRole('button', { name: 'Switch on' }).click()
  await page
    .getByText(/The code is wrong/)
    .last()
    .waitFor()
  await enrol(page)

  expect((await page.getByRole('listitem').allTextContents()).length).toBeGreaterThanOrEqual(8)
  const saving = page.waitForEvent('download')
  await page.getByRole('button', { name: 'Download' }).click()
  expect((await saving).suggestedFilename()).toBe('latchkey-recovery-codes.txt')
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await heading(page, 'My account')
  expect(page.url()).toBe(`${latchkey.url}/account`)
  expectQuiet(person)
})

test('the recovery codes stay until they are kept, whatever other tabs do', async () => {
  await demand('everybody')
  await createUser(admin, { username: 'hugo', password: PASSWORD })
  const { page, context } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await fillSignIn(page, 'hugo', PASSWORD)
  await heading(page, 'Set up two-step sign-in')
  await enrol(page)
  const other = await context.newPage()
  await other.goto('/')
  await inConsole(other)
  await other.evaluate(() => new BroadcastChannel('latchkey.session').postMessage('signedIn'))
  const browserAsks = page.waitForEvent('dialog')
  void page.reload().catch(() => undefined)
  await (await browserAsks).dismiss()
  await heading(page, 'Your recovery codes')
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await inConsole(page)
})

test('switched on while somebody works: his next step leads to the stage, who he is is asked again, then he is back', async () => {
  await demand('nobody')
  await createUser(admin, { username: 'iris', password: PASSWORD })
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signIn(page, 'iris', PASSWORD)
  latchkey.clock.advance(20 * MINUTE)
  await demand('everybody')
  await page.getByRole('link', { name: 'My account' }).click()
  await heading(page, 'Set up two-step sign-in')
  const again = page.getByRole('dialog', { name: 'Is it still you?' })
  await again.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Try again' }).click()
  await again.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')
  await enrol(page)
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await heading(page, 'My account')
  expectQuiet(person)
})

test('demanded of administrators it holds those alone; signing out is the other way', async () => {
  await demand('administrators')
  await createUser(admin, { username: 'jane', password: PASSWORD })
  await createUser(admin, { username: 'kurt', password: PASSWORD, permissions: ['AUDIT_LOG'] })
  const { page } = await visit(browser, latchkey.url)
  await signIn(page, 'jane', PASSWORD)
  await page.getByRole('button', { name: /Account of/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await heading(page, 'Sign in')
  await fillSignIn(page, 'kurt', PASSWORD)
  await heading(page, 'Set up two-step sign-in')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User name').waitFor()
  await demand('nobody')
  await signIn(page, 'kurt', PASSWORD)
})

test('who switches it on has his turn at once', async () => {
  await demand('nobody')
  await createUser(admin, { username: 'lena', password: PASSWORD, permissions: ['SETTINGS'] })
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signIn(page, 'lena', PASSWORD)
  await page.getByRole('link', { name: 'Settings' }).click()
  const part = page.getByRole('region', { name: 'Two-step sign-in' })
  await part.getByRole('radio', { name: 'Everybody', exact: true }).check()
  await part.getByText(/You have not set it up yourself/).waitFor()
  await part.getByRole('button', { name: 'Save' }).click()
  await heading(page, 'Set up two-step sign-in')
  await enrol(page)
  await page.getByRole('button', { name: 'I have kept them' }).click()
  await heading(page, 'Settings')
  expectQuiet(person)
})

test('a temporary password that ends at the change form leaves only signing out', async () => {
  await demand('nobody')
  await createUser(admin, { username: 'mila', password: TEMPORARY, require_password_change: true, expires_hours: 1 })
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await fillSignIn(page, 'mila', TEMPORARY)
  await heading(page, 'Choose your own password')
  latchkey.clock.advance(61 * MINUTE)
  await chooseOwn(page)
  await page.getByText(/Your temporary password has expired/).waitFor()
  expect(await page.getByRole('textbox').count()).toBe(0)
  expect(await page.getByRole('button', { name: 'Save and go on' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Sign out' }).click()
  await fillSignIn(page, 'mila', TEMPORARY)
  await page
    .getByTestId('refusal')
    .getByText(/Your temporary password has expired/)
    .waitFor()
})
