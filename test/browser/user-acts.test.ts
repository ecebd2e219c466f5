import { Secret, TOTP } from 'otpauth'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { chooseAct, openMenu, openUsers, rowOf } from './users-page.ts'
import { heading, signIn, visit } from './visit.ts'

const OWN = 'velvet mountain spoon'

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
  return () => latchkey.end()
})

async function atUsers() {
  const person = await visit(browser, latchkey.url)
  await signIn(person.page)
  await openUsers(person.page)
  return person
}

test('the own row leads to the account page and has no reset, disabling or deletion', async () => {
  const { page } = await atUsers()
  const menu = await openMenu(page, ADMIN.username)
  const acts = ['Edit', 'Login token…', 'Change password', 'My sessions']
  await expect.poll(() => menu.getByRole('menuitem').allTextContents()).toEqual(acts)
  await menu.getByRole('menuitem', { name: 'Change password' }).click()
  await heading(page, 'My account')
  await page.getByLabel('Current password').first().waitFor()
})

test('disabling is asked about and ends the sessions; enabling lets in again', async () => {
  await createUser(admin, { username: 'gail', password: OWN })
  const gail = await visit(browser, latchkey.url)
  await signIn(gail.page, 'gail', OWN)
  const { page } = await atUsers()
  const question = await chooseAct(page, 'gail', 'Disable')
  await question.getByText(/can no longer sign in/).waitFor()
  await page.keyboard.press('Escape')
  await question.waitFor({ state: 'hidden' })
  await rowOf(page, 'gail').getByText('Enabled').waitFor()
  await (await chooseAct(page, 'gail', 'Disable')).getByRole('button', { name: 'Disable' }).click()
  await rowOf(page, 'gail').getByText('Disabled').waitFor()
  await gail.page.goto('/account')
  await heading(gail.page, 'Sign in')
  const menu = await openMenu(page, 'gail')
  await menu.getByRole('menuitem', { name: 'Enable' }).click()
  await rowOf(page, 'gail').getByText('Enabled').waitFor()
  await signIn(gail.page, 'gail', OWN)
})

test('deleting wants the name typed', async () => {
  await createUser(admin, { username: 'gail' })
  const { page } = await atUsers()
  await page.getByLabel('Select gail').check()
  const dialog = await chooseAct(page, 'gail', 'Delete')
  await dialog.getByRole('button', { name: 'Delete' }).click()
  await dialog.getByText('This is not the user name.').waitFor()
  await dialog.getByLabel('Type gail to confirm').fill('gail')
  await page.keyboard.press('Enter')
  await page.getByText('1 user', { exact: true }).waitFor()
  expect(await page.getByText('1 selected').count()).toBe(0)
})

test('the sessions of a user are shown and ended, one or all', async () => {
  await createUser(admin, { username: 'gail', password: OWN })
  for (let n = 0; n < 3; n++) await buildSignedIn(latchkey, 'gail', OWN)
  const gail = await visit(browser, latchkey.url)
  await signIn(gail.page, 'gail', OWN)
  const { page } = await atUsers()
  const dialog = await chooseAct(page, 'gail', 'Sessions')
  await expect.poll(() => dialog.getByRole('listitem').count()).toBe(4)
  await dialog.getByText('this machine · signed in with password').first().waitFor()
  await dialog
    .getByRole('button', { name: /End the session/ })
    .last()
    .click()
  await expect.poll(() => dialog.getByRole('listitem').count()).toBe(3)
  await dialog.getByRole('button', { name: 'End all' }).click()
  const question = page.getByRole('dialog', { name: 'End all sessions of gail?' })
  await question.getByText(/Unused login tokens of gail become void too/).waitFor()
  await question.getByRole('button', { name: 'End all' }).click()
  await dialog.getByText('No session is open.').waitFor()
  await gail.page.goto('/account')
  await heading(gail.page, 'Sign in')
})

test('a manager is found by typing, shown by name, and taken away again', async () => {
  await createUser(admin, { username: 'bruno', display_name: 'Bruno C.', permissions: ['USER_CONFIG'] })
  await createUser(admin, { username: 'gail' })
  const { page } = await atUsers()
  await page.getByRole('button', { name: 'Edit gail' }).click()
  await page.getByRole('combobox', { name: /Manager/ }).fill('brun')
  await page.getByRole('option', { name: /bruno/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await rowOf(page, 'gail').getByText('managed by bruno').waitFor()

  await page.getByLabel('Search name or mail address').fill('gail')
  await page.getByText('1 user', { exact: true }).waitFor()
  await page.reload()
  await page.getByLabel('Search name or mail address').fill('gail')
  await rowOf(page, 'gail').getByText('managed by bruno').waitFor()
  await page.getByRole('button', { name: 'Edit gail' }).click()
  await page.getByRole('dialog').getByRole('button', { name: /Clear/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await expect.poll(() => rowOf(page, 'gail').getByText('managed by').count()).toBe(0)
})

test('the menu of a row works by keyboard alone', async () => {
  await createUser(admin, { username: 'gail' })
  const { page } = await atUsers()
  const button = page.getByRole('button', { name: 'Actions for gail' })
  await button.press('Enter')
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Edit')
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Reset the password of gail' }).waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await expect.poll(() => button.evaluate((element) => element === document.activeElement)).toBe(true)
})

test('two-step sign-in is switched off for who has it on, once it is known who asks', async () => {
  await createUser(admin, { username: 'gail', password: OWN })
  await createUser(admin, { username: 'hugo', password: OWN })
  const gail = await buildSignedIn(latchkey, 'gail', OWN)
  const { secret } = dataOf(await gail.client.auth.totpSetup())
  const code = new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: latchkey.clock() })
  dataOf(await gail.client.auth.totpConfirm({ body: { code } }))
  const { page } = await atUsers()
  expect(await (await openMenu(page, 'hugo')).getByRole('menuitem', { name: /two-step/ }).count()).toBe(0)
  await page.keyboard.press('Escape')
  await rowOf(page, 'gail').getByText('Two-step').waitFor()
  latchkey.clock.advance(20 * 60_000)
  const dialog = await chooseAct(page, 'gail', 'Switch two-step sign-in off')
  await dialog.getByRole('button', { name: 'Switch off' }).click()
  const again = page.getByRole('dialog', { name: 'Is it still you?' })
  await again.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await again.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('Two-step sign-in is off for gail.').waitFor()
  await expect.poll(() => rowOf(page, 'gail').getByText('Two-step').count()).toBe(0)
  await signIn((await visit(browser, latchkey.url)).page, 'gail', OWN)
})
