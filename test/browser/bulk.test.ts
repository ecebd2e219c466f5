import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { openUsers, rowOf } from './users-page.ts'
import { expectQuiet, keptByBrowser, signIn, visit } from './visit.ts'

const NAMES = ['bea', 'carl', 'dora', 'emil', 'flora'] as const

let browser: Browser
let latchkey: TestServer
let admin: Visitor
const ids = new Map<string, number>()

beforeAll(async () => {
  browser = await launchChromium()
})
afterAll(() => browser.close())
beforeEach(async () => {
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  for (const username of NAMES) ids.set(username, await createUser(admin, { username, display_name: `Mx ${username}` }))
  return () => latchkey.end()
})

async function atUsers(scheme: 'light' | 'dark' = 'light') {
  const person = await visit(browser, latchkey.url, { scheme })
  await signIn(person.page)
  await openUsers(person.page)
  return person
}

async function pickAll(page: Page, act: string) {
  await page.getByLabel('Select all shown').check()
  await page.getByRole('region', { name: 'Selected users' }).getByRole('button', { name: act, exact: true }).click()
  return page.getByRole('dialog')
}

/** What of the page would be on paper. */
async function printed(page: Page) {
  await page.emulateMedia({ media: 'print' })
  const paper = await page.evaluate(() => {
    const shown = [...document.body.children].filter((part) => part.checkVisibility())
    const { backgroundColor } = getComputedStyle(document.documentElement)
    const sheet = document.querySelector('.print-sheet')
    const { color } = getComputedStyle(sheet ?? document.body)
    return { classes: shown.map(({ className }) => className), backgroundColor, color, text: document.body.innerText }
  })
  const navigation = await page.getByRole('navigation').isVisible()
  const dialog = await page.getByRole('dialog').first().isVisible()
  const cards = await page.getByRole('region', { name: 'Sign-in sheet' }).getByRole('article').count()
  const codes = await page.getByRole('region', { name: 'Sign-in sheet' }).getByRole('img').count()
  await page.emulateMedia({ media: null })
  return { ...paper, navigation, dialog, cards, codes }
}

test('passwords of many are reset: everybody another, listed and printed once, asked before it is gone', async () => {
  const office = await atUsers('dark')
  const { page } = office
  const dialog = await pickAll(page, 'Reset passwords')
  await dialog.getByText('For 5 people:').waitFor()
  await dialog.getByText(/You yourself are left out/).waitFor()
  await dialog.getByLabel('Length').fill('20')
  await dialog.getByRole('button', { name: 'Reset passwords' }).click()
  await dialog.getByText('Done for 5 people.').waitFor()

  const cells = dialog.getByRole('table', { name: 'Temporary passwords' }).getByRole('cell')
  const passwords = await cells.allTextContents().then((texts) => texts.map((text) => text.trim()))
  expect(new Set(passwords).size).toBe(5)
  for (const [index, username] of NAMES.entries()) {
    const password = passwords[index] ?? ''
    expect(password).toHaveLength(20)
    const person = await buildVisitor(latchkey.url).client.auth.login({ body: { username, password } })
    expect(dataOf(person).require_password_change).toBe(true)
  }
  expect(await keptByBrowser(page)).not.toContain(passwords[0])

  const paper = await printed(page)
  expect(paper).toMatchObject({ navigation: false, dialog: false, cards: 5, codes: 0, classes: ['print-sheet'] })
  expect(paper).toMatchObject({ backgroundColor: 'rgb(255, 255, 255)', color: 'rgb(0, 0, 0)' })
  for (const text of [...passwords, 'Mx bea', latchkey.url, 'Valid until']) expect(paper.text).toContain(text)

  await page.keyboard.press('Escape')
  const question = page.getByRole('dialog', { name: 'Is everything handed over or printed?' })
  await question.getByRole('button', { name: 'Cancel' }).click()
  await question.waitFor({ state: 'hidden' })
  expect(await cells.count()).toBe(5)
  await dialog.getByRole('button', { name: 'Close', exact: true }).click()
  await question.getByRole('button', { name: 'Close for good' }).click()
  await dialog.first().waitFor({ state: 'hidden' })
  expect(await page.content()).not.toContain(passwords[0])
  await rowOf(page, 'flora')
    .getByText(/Temporary password/)
    .waitFor()
  expectQuiet(office)
})

test('login tokens for many: asked once who is there, one card each, each works once', async () => {
  dataOf(await admin.client.users.edit({ params: { id: String(ids.get('carl')) }, body: { enabled: false } }))
  const office = await atUsers()
  const { page } = office
  await page.evaluate(() => Object.assign(window, { print: () => document.body.setAttribute('data-printed', 'yes') }))
  latchkey.clock.advance(20 * 60_000)
  const dialog = await pickAll(page, 'Make login tokens')
  await dialog.getByText('For 5 people:').waitFor()
  await dialog.getByText('Left out because they are disabled: carl').waitFor()
  await dialog.getByRole('combobox', { name: 'Valid for' }).press('Enter')
  await page.getByRole('option', { name: '24 hours' }).click()
  await dialog.getByLabel(/Reason/).fill('First day at school')
  await dialog.getByRole('button', { name: 'Make login tokens' }).click()
  const again = page.getByRole('dialog', { name: 'Is it still you?' })
  await again.getByLabel('Password', { exact: true }).fill(ADMIN.password)
  await again.getByRole('button', { name: 'Confirm' }).click()
  await dialog.getByText('Done for 5 people.').waitFor()
  expect(await page.getByRole('dialog', { name: 'Is it still you?' }).count()).toBe(0)

  const card = dialog.getByRole('article', { name: 'bea' })
  await card.getByRole('img', { name: 'QR code with the login link for bea' }).waitFor()
  await card.getByText('Works once.').waitFor()
  const link = (await card.getByText('/login/token#').textContent()) ?? ''
  const secret = link.split('#')[1] ?? ''
  expect(secret).toHaveLength(43)
  expect(await keptByBrowser(page)).not.toContain(secret)

  const paper = await printed(page)
  expect(paper).toMatchObject({ navigation: false, dialog: false, cards: 5, codes: 5, classes: ['print-sheet'] })
  expect(paper.text).toContain(link)
  await dialog.getByRole('button', { name: 'Print sheet' }).click()
  expect(await page.evaluate(() => document.body.dataset['printed'])).toBe('yes')

  const redeem = () =>
    buildVisitor(latchkey.url).client.auth.login({ body: { login_type: 'login_token', login_token: secret } })
  expect(dataOf(await redeem()).username).toBe('bea')
  expect(codeOf(await redeem())).toBe('LOGIN_TOKEN_INVALID')
  expectQuiet(office)
})

test('saying no to the question who is there begins nothing', async () => {
  const { page } = await atUsers()
  latchkey.clock.advance(20 * 60_000)
  const dialog = await pickAll(page, 'Make login tokens')
  await dialog.getByRole('button', { name: 'Make login tokens' }).click()
  await page.getByRole('dialog', { name: 'Is it still you?' }).getByRole('button', { name: 'Cancel' }).click()
  await dialog.getByText('Done for nobody.').waitFor()
  await dialog.getByText('Not begun for 6 people:').waitFor()
  await page.keyboard.press('Escape')
  await dialog.first().waitFor({ state: 'hidden' })
})

test('cancelling stops what was not begun, and says for whom', async () => {
  const { page } = await atUsers()
  const held: (() => void)[] = []
  await page.route('**/reset-password', async (route) => {
    await new Promise<void>((resolve) => held.push(resolve))
    await route.continue()
  })
  const dialog = await pickAll(page, 'Reset passwords')
  await dialog.getByRole('button', { name: 'Reset passwords' }).click()
  await expect.poll(() => held.length).toBe(3)
  await dialog.getByRole('progressbar', { name: '0 of 5 done' }).waitFor()
  await page.keyboard.press('Escape')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.getByText(/What was begun is still finished/).waitFor()
  for (const release of held) release()
  await dialog.getByText('Done for 3 people.').waitFor()
  await dialog.getByText('Not begun for 2 people:').waitFor()
  expect(held).toHaveLength(3)
  await dialog.getByRole('button', { name: 'Close', exact: true }).click()
  await page.getByRole('button', { name: 'Close for good' }).click()
  await page.getByText('2 selected').waitFor()
})

test('who failed is named with the reason, and stays selected', async () => {
  const { page } = await atUsers()
  dataOf(await admin.client.users.remove({ params: { id: String(ids.get('dora')) } }))
  const dialog = await pickAll(page, 'Disable')
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await dialog.getByText('Done for 4 people.').waitFor()
  await dialog.getByText('Failed for 1 person:').waitFor()
  await dialog.getByText('dora: There is no such user.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await page.getByText('1 selected · 1 of them not shown here').waitFor()
  await rowOf(page, 'emil').getByText('Disabled').waitFor()
  expect(await rowOf(page, 'ann').getByText('Disabled').count()).toBe(0)
  await page.getByRole('button', { name: 'Clear selection' }).click()
  await page.getByLabel('Select emil').check()
  await page.getByLabel('Select bea').check()
  await page.getByRole('button', { name: 'Enable', exact: true }).click()
  await dialog.getByRole('button', { name: 'Enable' }).click()
  await dialog.getByText('Done for 2 people.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await expect.poll(() => rowOf(page, 'emil').getByText('Disabled').count()).toBe(0)
})

test('a selection outlives a search and counts what is not shown', async () => {
  const { page } = await atUsers()
  await page.getByLabel('Select bea').check()
  await page.getByLabel('Search name or mail address').fill('carl')
  await page.getByText('1 user', { exact: true }).waitFor()
  await page.getByLabel('Select carl').check()
  await page.getByText('2 selected · 1 of them not shown here').waitFor()
})
