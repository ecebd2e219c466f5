import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { choose, chooseAct, openUsers, resetPassword, rowOf, takeResult } from './users-page.ts'
import { expectQuiet, fillSignIn, heading, inConsole, keptByBrowser, signIn, visit } from './visit.ts'

const OWN = 'velvet mountain spoon'
const NEXT = 'quiet harbour lantern'
const HOUR = 3_600_000

/** In-process, because temporary passwords end: the clock must be ours. A server for each test: resets end sessions. */
let browser: Browser
let latchkey: TestServer
let admin: Visitor

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())
beforeEach(async () => {
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const server = latchkey
  return () => server.end()
})

async function atUsers(name: string = ADMIN.username, password: string = ADMIN.password) {
  const person = await visit(browser, latchkey.url)
  await signIn(person.page, name, password)
  await openUsers(person.page)
  return person
}

async function chooseOwn(page: Page, first: string, second = first): Promise<void> {
  await page.getByLabel('New password', { exact: true }).fill(first)
  await page.getByLabel('New password, once more').fill(second)
  await page.getByRole('button', { name: 'Save and go on' }).click()
}

test('the whole way: reset, shown once, held at the change form, changed, in', async () => {
  await createUser(admin, { username: 'gail', password: OWN })
  const before = await visit(browser, latchkey.url)
  await signIn(before.page, 'gail', OWN)

  const office = await atUsers()
  const { page } = office
  const dialog = await chooseAct(page, 'gail', 'Reset password')
  await expect.poll(() => dialog.getByLabel('Must choose an own password at the next sign-in').isChecked()).toBe(true)
  expect(await dialog.getByLabel('Also end developer tokens').isChecked()).toBe(false)
  await dialog.getByText('after 24 hours').waitFor()
  await dialog.getByLabel('Must choose an own password at the next sign-in').uncheck()
  expect(await dialog.getByRole('combobox', { name: 'Temporary password ends' }).count()).toBe(0)
  await dialog.getByLabel('Must choose an own password at the next sign-in').check()
  await dialog.getByRole('button', { name: 'Reset password' }).click()
  await dialog.getByText('Please fill this in.').waitFor()
  await dialog.getByLabel('Temporary password', { exact: true }).fill('short')
  await dialog.getByText('At least 8 characters.').waitFor()
  await dialog.getByLabel('Length').fill('24')
  await dialog.getByRole('button', { name: 'Generate' }).click()
  await dialog.getByRole('button', { name: 'Reset password' }).click()

  const result = page.getByRole('dialog', { name: 'Password reset' })
  await result.getByText(/Lets in until .* at /).waitFor()
  await page.keyboard.press('Escape')
  await page.mouse.click(2, 2)
  const temporary = await takeResult(page)
  expect(temporary).toHaveLength(24)
  expect(await page.content()).not.toContain(temporary)
  expect(await keptByBrowser(page)).not.toContain(temporary)
  await rowOf(page, 'gail')
    .getByText(/Temporary password · ends tomorrow/)
    .waitFor()
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Actions for gail')

  await before.page.getByRole('link', { name: 'My account' }).click()
  await before.page.getByText('Your session has ended. Please sign in again.').waitFor()

  const desk = await visit(browser, latchkey.url)
  await desk.page.goto('/login')
  await fillSignIn(desk.page, 'gail', OWN)
  await desk.page.getByTestId('refusal').filter({ hasText: 'User name or password is wrong.' }).waitFor()
  await fillSignIn(desk.page, 'gail', temporary)
  await heading(desk.page, 'Choose your own password')
  for (const address of ['/users', '/account', '/settings', '/']) {
    await desk.page.goto(address)
    await heading(desk.page, 'Choose your own password')
    expect(await desk.page.getByRole('navigation').count()).toBe(0)
  }
  await chooseOwn(desk.page, 'abc')
  await desk.page.getByText('At least 8 characters.').waitFor()
  await chooseOwn(desk.page, NEXT, 'something else')
  await desk.page.getByText('The two passwords are not the same.').waitFor()
  await chooseOwn(desk.page, 'password123')
  await desk.page.getByText(/on the lists that attackers try first|too easy to guess/).waitFor()
  await chooseOwn(desk.page, temporary)
  await desk.page.getByText('The new password must differ from the old one.').waitFor()
  await chooseOwn(desk.page, NEXT)
  await inConsole(desk.page)
  await desk.page.reload()
  await inConsole(desk.page)
  await desk.page.getByText('1 open session').waitFor()

  await page.reload()
  await rowOf(page, 'gail').getByText('Enabled').waitFor()
  expectQuiet(before, office, desk)
})

test('an expired temporary password is told as such, at sign-in and at the form it held', async () => {
  await createUser(admin, { username: 'gail' })
  const { page } = await atUsers()
  const dialog = await chooseAct(page, 'gail', 'Reset password')
  await dialog.getByRole('button', { name: 'Generate' }).click()
  await choose(page, 'Temporary password ends', 'after 1 hour')
  await dialog.getByRole('button', { name: 'Reset password' }).click()
  const temporary = await takeResult(page)

  const held = await visit(browser, latchkey.url)
  await held.page.goto('/login')
  await fillSignIn(held.page, 'gail', temporary)
  await heading(held.page, 'Choose your own password')
  latchkey.clock.advance(HOUR + 1000)
  await chooseOwn(held.page, NEXT)
  await held.page
    .getByText('Your temporary password has expired. Ask an administrator for a new one.')
    .first()
    .waitFor()
  await held.page.getByRole('button', { name: 'Sign out' }).click()
  await fillSignIn(held.page, 'gail', temporary)
  await held.page.getByTestId('refusal').filter({ hasText: 'Your temporary password has expired.' }).waitFor()
})

test('the badge turns by itself when the end passes, and says so', async () => {
  await createUser(admin, { username: 'gail', password: OWN, require_password_change: true, expires_hours: 1 })
  const { page } = await visit(browser, latchkey.url)
  await page.clock.install()
  await signIn(page)
  await openUsers(page)
  await rowOf(page, 'gail')
    .getByText(/Temporary password · ends in/)
    .waitFor()
  await page.clock.fastForward(HOUR + 60_000)
  await rowOf(page, 'gail')
    .getByText(/Temporary password · expired/)
    .waitFor()
  await page.getByRole('status').filter({ hasText: 'Temporary password expired: gail' }).waitFor()
})

test('the change form is there after the server was started again', async () => {
  await createUser(admin, { username: 'gail', password: OWN, require_password_change: true })
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login')
  await fillSignIn(page, 'gail', OWN)
  await heading(page, 'Choose your own password')
  latchkey = await latchkey.restart()
  await page.goto(`${latchkey.url}/users`)
  await heading(page, 'Choose your own password')
  await chooseOwn(page, NEXT)
  await inConsole(page)
  await latchkey.end()
})

test('a helper sees and resets whom he manages, superusers never; who may not sees no page', async () => {
  const helper = await createUser(admin, { username: 'helga', password: OWN, permissions: ['USER_CONFIG'] })
  await createUser(admin, { username: 'mine', password: OWN, manager_id: helper })
  await createUser(admin, { username: 'boss', password: OWN, manager_id: helper, superuser: true })
  await createUser(admin, { username: 'other', password: OWN })
  const { page } = await atUsers('helga', OWN)
  await page.getByText('2 users').waitFor()
  expect(await page.getByText('other').count()).toBe(0)
  expect(await page.getByRole('button', { name: /^(Edit|Actions for) boss/ }).count()).toBe(0)
  expect(await page.getByLabel('Select boss').count()).toBe(0)
  const temporary = await resetPassword(page, 'mine')
  expect(codeOf(await (await buildSignedIn(latchkey, 'mine', temporary)).client.auth.me())).toBe(
    'PASSWORD_CHANGE_REQUIRED',
  )
  await page.getByLabel('Select mine').check()
  await page.getByRole('button', { name: 'Reset passwords' }).waitFor()
  expect(await page.getByRole('button', { name: 'Make login tokens' }).count()).toBe(0)

  const stranger = await visit(browser, latchkey.url)
  await signIn(stranger.page, 'other', OWN)
  expect(await stranger.page.getByRole('link', { name: 'Users' }).count()).toBe(0)
  await stranger.page.goto('/users')
  await heading(stranger.page, 'Nothing here')
})

test('without an end it says so; without a required change it is simply the password', async () => {
  await createUser(admin, { username: 'gail' })
  const { page } = await atUsers()
  const endless = await chooseAct(page, 'gail', 'Reset password')
  await endless.getByRole('button', { name: 'Generate' }).click()
  await choose(page, 'Temporary password ends', 'never')
  await endless.getByRole('button', { name: 'Reset password' }).click()
  await page.getByText('Lets in until gail has chosen an own password.').waitFor()
  await takeResult(page)
  await rowOf(page, 'gail').getByText('Temporary password · no end').waitFor()

  const simple = await chooseAct(page, 'gail', 'Reset password')
  await simple.getByLabel('Temporary password', { exact: true }).fill('just a password')
  await simple.getByLabel('Must choose an own password at the next sign-in').uncheck()
  await simple.getByRole('button', { name: 'Reset password' }).click()
  await page.getByText(/from now on this is the password of gail/).waitFor()
  await takeResult(page)
  const gail = await visit(browser, latchkey.url)
  await signIn(gail.page, 'gail', 'just a password')
})

test('the presets of the settings are offered, in words, the default chosen', async () => {
  await createUser(admin, { username: 'gail' })
  dataOf(
    await admin.client.settings.change({
      body: { temp_password_presets: [-1, 168, 36, 8760], temp_password_default: 36 },
    }),
  )
  const { page } = await atUsers()
  await chooseAct(page, 'gail', 'Reset password')
  await page.getByRole('dialog').getByText('after 36 hours').waitFor()
  await page.getByRole('combobox', { name: 'Temporary password ends' }).press('Enter')
  await expect
    .poll(() => page.getByRole('listbox').getByRole('option').allTextContents())
    .toEqual(['after 36 hours', 'after 7 days', 'after 365 days', 'never'])
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'New user' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Generate' }).click()
  await page.getByRole('dialog').getByText('after 36 hours').waitFor()
})
