import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, buildVisitor, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectAccessible, expectAccessiblePage, LOOKS } from './accessible.ts'
import { chooseAct, openUsers } from './users-page.ts'
import { expectQuiet, heading, keptByBrowser, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: TestServer
let admin: Visitor
const ids = new Map<string, number>()

const PASSWORD = 'plain user kettle'
const MINUTE = 60_000
/** What a colleague may have to wait until he sees it. */
const AT_ONCE = 1_000

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const helper = { username: 'hana', password: PASSWORD, permissions: ['LOGIN_TOKENS' as const] }
  const hana = await createUser(admin, helper)
  for (const username of ['luis', 'bea', 'carl', 'dora', 'emil', 'flora']) {
    const email = `${username}@example.org`
    ids.set(username, await createUser(admin, { username, email, manager_id: hana }))
  }
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function mint(username: string, reason?: string) {
  const body = { login_user_id: ids.get(username) ?? 0, expires_in: 3600, ...(reason ? { reason } : {}) }
  return dataOf(await admin.client.loginTokens.create({ body }))
}

async function use(link: string): Promise<void> {
  const login_token = link.split('#')[1] ?? ''
  dataOf(await buildVisitor(latchkey.url).client.auth.login({ body: { login_type: 'login_token', login_token } }))
}

/** Nothing is left of the test before. */
async function revokeAll(): Promise<void> {
  const { items } = dataOf(await admin.client.loginTokens.list({ query: { limit: '200' } }))
  for (const { uuid } of items) dataOf(await admin.client.loginTokens.revoke({ params: { uuid } }))
}

async function atTokens(manners: Parameters<typeof visit>[2] = {}, username?: string) {
  const person = await visit(browser, latchkey.url, manners)
  await signIn(person.page, username, username && PASSWORD, '/login-tokens')
  await person.page.getByRole('radio', { name: 'Active' }).waitFor({ state: 'attached' })
  return person
}

const rows = (page: Page) => page.getByRole('table', { name: 'Login tokens' }).locator('tbody tr')
const rowOf = (page: Page, text: string) => rows(page).filter({ hasText: text })
const show = (page: Page, state: string) => page.getByText(state, { exact: true }).first().click()
const linkIn = async (panel: Locator) => (await panel.getByRole('group', { name: 'Login link' }).textContent()) ?? ''
const hasFocus = (place: Locator) => place.evaluate((element) => element === document.activeElement)

test.each(LOOKS)('list, dialog and link in %s at %i; one is made from the list of users', async (scheme, width) => {
  await revokeAll()
  await use((await mint('carl')).login_url)
  await mint('luis', 'A reason that takes its room, with averyveryverylongwordthatnobodyexpected in it')
  const person = await atTokens({ scheme, width })
  const { page } = person
  await rows(page).first().getByRole('checkbox').check()
  await show(page, 'All')
  await expect.poll(() => rows(page).count()).toBeGreaterThan(1)
  await expectAccessiblePage(page, 'login tokens')
  await page.getByRole('button', { name: 'New login token' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('Other', { exact: true }).click()
  await dialog.getByRole('button', { name: 'Make login token' }).click()
  await dialog.getByText('Please fill this in.').waitFor()
  await expectAccessible(page, 'new login token')
  await page.keyboard.press('Escape')

  await openUsers(page)
  await chooseAct(page, 'bea', 'Login token…')
  await page.getByRole('dialog', { name: 'New login token: bea' }).getByLabel('Reason').press('Enter')
  const panel = page.getByRole('dialog', { name: 'Login link for bea' })
  await linkIn(panel)
  await expectAccessible(page, 'login link')
  expectQuiet(person)
})

test('made by keyboard alone, shown once; that it was used is seen at once there and by a colleague', async () => {
  await revokeAll()
  const colleague = await atTokens()
  await heading(colleague.page, 'No login token is active')
  const { page } = colleague
  const office = await atTokens()
  latchkey.clock.advance(20 * MINUTE)
  dataOf(await admin.client.auth.reauth({ body: { password: ADMIN.password } }))
  const { keyboard } = office.page
  await office.page.getByRole('button', { name: 'New login token' }).first().focus()
  await keyboard.press('Enter')
  const dialog = office.page.getByRole('dialog', { name: 'New login token' })
  await expect.poll(() => hasFocus(dialog.getByRole('combobox', { name: 'For whom' }))).toBe(true)
  await keyboard.press('Enter')
  await office.page.getByRole('option', { name: 'ann' }).waitFor()
  // An Enter before the server has answered takes nobody else.
  await keyboard.type('lui')
  await keyboard.press('Enter')
  for (const key of ['Tab', 'Tab', 'ArrowLeft', 'Tab']) await keyboard.press(key)
  await keyboard.type('Lost his phone')
  await keyboard.press('Enter')
  await office.page.getByRole('dialog', { name: 'Is it still you?' }).waitFor()
  await keyboard.type(ADMIN.password)
  await keyboard.press('Enter')

  const panel = office.page.getByRole('dialog', { name: 'Login link for luis' })
  await panel.getByRole('img', { name: 'QR code with the login link for luis' }).waitFor()
  await panel.getByText(/which only this machine can reach/).waitFor()
  const link = await linkIn(panel)
  expect(link).toMatch(/\/login\/token#[\w-]{43}$/)
  expect(await keptByBrowser(office.page)).not.toContain(link.split('#')[1])
  expect(await office.page.getByRole('region', { name: 'Sign-in sheet', includeHidden: true }).count()).toBe(1)
  await rowOf(page, 'Lost his phone')
    .getByText(/^ends in \d+:\d\d/)
    .waitFor()
  await keyboard.press('Escape')
  const question = office.page.getByRole('dialog', { name: 'Is everything handed over or printed?' })
  await question.getByRole('button', { name: 'Cancel' }).click()
  await question.waitFor({ state: 'hidden' })

  await show(page, 'All')
  await rowOf(page, 'Lost his phone').getByText('Active').waitFor()
  await use(link)
  await Promise.all([
    panel.getByText('The link no longer works.').waitFor({ timeout: AT_ONCE }),
    rowOf(page, 'Lost his phone').getByText('Used').waitFor({ timeout: AT_ONCE }),
    rowOf(page, 'Lost his phone').getByText('this machine').waitFor({ timeout: AT_ONCE }),
  ])
  expect(await panel.getByRole('group', { name: 'Login link' }).count()).toBe(0)
  await keyboard.press('Escape')
  await panel.waitFor({ state: 'hidden' })
  expectQuiet(office, colleague)
})

test('selected ones are revoked; one that was used meanwhile is named; news disturb neither selection nor focus', async () => {
  await revokeAll()
  const gone = await mint('luis', 'gone')
  await mint('bea', 'stays')
  await mint('carl', 'third')
  const office = await atTokens()
  const { page } = office
  const box = rowOf(page, 'stays').getByRole('checkbox')
  await box.check()
  await rowOf(page, 'gone').getByRole('checkbox').check()
  await box.focus()
  await mint('dora', 'newcomer')
  await rowOf(page, 'newcomer').waitFor({ timeout: AT_ONCE })
  expect(await hasFocus(box)).toBe(true)
  await page.getByText('2 selected', { exact: true }).waitFor()

  await page.getByRole('button', { name: 'Revoke selected' }).click()
  const dialog = page.getByRole('dialog', { name: 'Revoke 2 login tokens?' })
  await use(gone.login_url)
  await expect.poll(() => rows(page).count()).toBe(3)
  await dialog.getByRole('button', { name: 'Revoke', exact: true }).click()
  const result = page.getByRole('dialog', { name: 'Result' })
  await result.getByText('1 login token was revoked.').waitFor()
  await result.getByText(/^luis: There is no such token/).waitFor()
  await result.getByRole('button', { name: 'Close' }).click()
  await rowOf(page, 'stays').waitFor({ state: 'detached' })

  await page.getByRole('button', { name: 'Revoke the login token for carl' }).press('Enter')
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).press('Enter')
  await page.getByText('1 login token was revoked.').last().waitFor()
  await expect.poll(() => rows(page).count()).toBe(1)
  expectQuiet(office)
})

test('history: filtered by state, person and maker; more on demand, and news keep as many rows', async () => {
  await revokeAll()
  for (const username of ids.keys()) for (let each = 0; each < 9; each++) await mint(username)
  const office = await atTokens()
  const { page } = office
  await page.getByText('54 login tokens', { exact: true }).waitFor()
  expect(await rows(page).count()).toBe(50)
  await page.getByRole('button', { name: 'Show more' }).click()
  await expect.poll(() => rows(page).count()).toBe(54)
  await rows(page).last().scrollIntoViewIfNeeded()
  const before = await page.evaluate(() => scrollY)
  await mint('luis', 'newest')
  await rowOf(page, 'newest').waitFor({ state: 'attached', timeout: AT_ONCE })
  expect(await rows(page).count()).toBe(55)
  expect(await page.evaluate(() => scrollY)).toBeGreaterThanOrEqual(before)

  await page.getByRole('combobox', { name: 'For whom' }).fill('be')
  await page.getByRole('option', { name: 'bea' }).click()
  await page.getByText('9 login tokens', { exact: true }).waitFor()
  await page.getByRole('combobox', { name: 'Made by' }).fill('han')
  await page.getByRole('option', { name: 'hana' }).click()
  await heading(page, 'No login token fits.')
  await show(page, 'Revoked')
  await heading(page, 'No login token fits.')
  expectQuiet(office)
})

test('a connection that breaks is made again; a page out of sight lets go of it and catches up', async () => {
  await revokeAll()
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signIn(page)
  const lines: string[] = []
  page.on('request', (request) => request.url().endsWith('/api/changes') && lines.push('open'))
  page.on('requestfailed', (request) => request.url().endsWith('/api/changes') && lines.push('closed'))
  await page.route('**/api/changes', (route) => route.abort('connectionreset'), { times: 1 })
  await page.goto('/login-tokens')
  await expect.poll(() => lines).toEqual(['open', 'closed', 'open'])
  await mint('luis', 'after the break')
  await rowOf(page, 'after the break').waitFor({ timeout: 2 * AT_ONCE })

  const seen = (state: string) =>
    page.evaluate((visibilityState) => {
      Object.defineProperty(document, 'visibilityState', { value: visibilityState, configurable: true })
      document.dispatchEvent(new Event('visibilitychange'))
    }, state)
  await seen('hidden')
  await expect.poll(() => lines.at(-1)).toBe('closed')
  await mint('bea', 'while away')
  await seen('visible')
  await rowOf(page, 'while away').waitFor({ timeout: AT_ONCE })
  await page.getByRole('link', { name: 'Overview' }).click()
  await expect.poll(() => lines).toEqual(['open', 'closed', 'open', 'closed', 'open', 'closed'])
  expectQuiet(person)
})

test('who may not look users up names the person by mail address or number, and is told of faults at the field', async () => {
  const helper = await atTokens({}, 'hana')
  const { page } = helper
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0)
  const dialog = page.getByRole('dialog', { name: 'New login token' })
  const make = () => dialog.getByRole('button', { name: 'Make login token' }).click()
  await page.getByRole('button', { name: 'New login token' }).first().click()
  await dialog.getByRole('textbox', { name: 'Mail address' }).fill('nobody@example.org')
  await make()
  await dialog.getByText('There is no such user.').waitFor()
  await dialog.getByText('User number', { exact: true }).click()
  await dialog.getByRole('textbox', { name: 'User number' }).fill(String(ids.get('emil')))
  await dialog.getByText('Other', { exact: true }).click()
  await dialog.getByLabel('Seconds').fill('86401')
  await dialog.getByLabel(/Where it leads/).fill('https://evil.invalid/')
  await make()
  await dialog.getByText(/from 1 to 86400/).waitFor()
  await dialog.getByLabel('Seconds').fill('5400')
  await make()
  await dialog.getByText('This redirect target is not among the allowed ones.').waitFor()
  await dialog.getByLabel(/Where it leads/).fill('/account')
  await make()
  const panel = page.getByRole('dialog', { name: 'Login link for emil' })
  await panel.getByText(/^Valid for another \d+:\d\d/).waitFor()
  expectQuiet(helper)
})
