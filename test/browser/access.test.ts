import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectAccessible, expectAccessiblePage, LOOKS } from './accessible.ts'
import { choose } from './users-page.ts'
import { expectQuiet, heading, signIn, signInAt, visit } from './visit.ts'

const PASSWORD = 'wooden quiet lamp'

let browser: Browser
let latchkey: TestServer
let admin: Visitor
const ids = { bert: 0, carla: 0 }

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  ids.bert = await createUser(admin, { username: 'bert', password: PASSWORD, display_name: 'Bert Brandt' })
  ids.carla = await createUser(admin, { username: 'carla', password: PASSWORD })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

beforeEach(async () => {
  for (const id of Object.values(ids)) dataOf(await admin.client.users.revokeSessions({ params: { id: String(id) } }))
})

const come = (username: 'bert' | 'carla') => buildSignedIn(latchkey, username, PASSWORD)
const stateOf = async (visitor: Visitor) => codeOf(await visitor.client.auth.me())

async function mint(login_user_id: number): Promise<string> {
  const body = { login_user_id, expires_in: 600, reason: 'first day' }
  return dataOf(await admin.client.loginTokens.create({ body })).token
}

async function atBoard(scheme: 'light' | 'dark' = 'light', width = 1280) {
  const person = await visit(browser, latchkey.url, { scheme, width })
  await signInAt(person.page, '/access')
  await rows(person.page, /this session/).waitFor()
  return person
}

function rows(page: Page, text: RegExp): Locator {
  return page.getByRole('table', { name: 'Access board' }).getByRole('row').filter({ hasText: text })
}

const session = (page: Page, name: string) =>
  rows(page, /Session/).filter({ has: page.getByRole('button', { name: `Revoke: Session of ${name}` }) })
const chip = (page: Page, name: RegExp) => page.getByRole('radio', { name })
const question = (page: Page, name: RegExp) => page.getByRole('dialog', { name })
const yes = (page: Page) => page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()

test('a colleague sees within a second that a login token was used, and loses neither place, focus nor selection', async () => {
  const login_token = await mint(ids.carla)
  const bert = await come('bert')
  const colleague = await atBoard()
  const { page } = colleague
  await rows(page, /Login token.*first day/).waitFor()
  await page.getByLabel('Select: Login token of carla').check()
  await page.getByLabel('Select: Session of bert').check()
  await page.getByText('2 selected').waitFor()
  await page.setViewportSize({ width: 1280, height: 480 })
  await page.evaluate(() => scrollTo(0, 40))

  const person = await visit(browser, latchkey.url)
  const data = { login_type: 'login_token', login_token }
  await person.page.request.post('/api/auth/login', { data, headers: { Origin: latchkey.url } })
  const used = Date.now()
  await page.getByLabel('Select: Login token of carla').waitFor({ state: 'detached' })
  expect(Date.now() - used).toBeLessThan(1_000)
  await rows(page, /carla.*Session.*login token.*Made by ann.*first day/).waitFor()
  await page.getByText('1 selected').waitFor()
  expect(await page.getByLabel('Select: Session of bert').isChecked()).toBe(true)
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Select: Session of bert')
  expect(await page.evaluate(() => scrollY)).toBe(40)

  // A row that goes hands the focus on.
  await bert.client.auth.logout()
  await session(page, 'bert').waitFor({ state: 'detached' })
  expect(await page.evaluate(() => document.activeElement?.closest('tr, main')?.tagName)).toMatch(/TR|MAIN/)
  expect(await page.getByText('1 selected').count()).toBe(0)
  expectQuiet(colleague, person)
})

test('revoking one session ends it in the other browser', async () => {
  const other = await visit(browser, latchkey.url)
  await signIn(other.page, 'bert', PASSWORD)
  const { page } = await atBoard()
  await session(page, 'bert').getByRole('button').click()
  await question(page, /Revoke 1 way in/)
    .getByText('Lets in: bert')
    .waitFor()
  await page.keyboard.press('Escape')
  await question(page, /Revoke/).waitFor({ state: 'hidden' })
  await session(page, 'bert').getByRole('button').press('Enter')
  await yes(page)
  await page.getByText('1 way in was revoked.').waitFor()
  await session(page, 'bert').waitFor({ state: 'detached' })
  await other.page.getByRole('link', { name: 'My account' }).click()
  await heading(other.page, 'Sign in')
  // Of one's own only what is elsewhere, without a question; the one that is used here cannot be ended here.
  const before = await session(page, 'ann').count()
  latchkey.clock.advance(1_000)
  const own = await buildSignedIn(latchkey, ADMIN.username, ADMIN.password)
  await expect.poll(() => session(page, 'ann').count()).toBe(before + 1)
  await session(page, 'ann').first().getByRole('button').click()
  await expect.poll(() => session(page, 'ann').count()).toBe(before)
  expect(await stateOf(own)).toBe('SESSION_EXPIRED')
  const here = rows(page, /this session/)
  expect(await here.locator('button, input').count()).toBe(0)
})

test('revoking the selected ends them and nothing else', async () => {
  const [bert, carla] = [await come('bert'), await come('carla')]
  await mint(ids.carla)
  const { page } = await atBoard()
  await page.getByLabel('Select: Session of bert').check()
  await page.getByLabel('Select: Login token of carla').check()
  await page.getByRole('button', { name: 'Revoke selected' }).click()
  const dialog = question(page, /Revoke 2 ways in/)
  await dialog.getByText('1 session', { exact: true }).waitFor()
  await dialog.getByText('1 login token', { exact: true }).waitFor()
  await yes(page)
  await page.getByText('2 ways in were revoked.').waitFor()
  expect([await stateOf(bert), await stateOf(carla)]).toEqual(['SESSION_EXPIRED', 'ok'])
  await page.getByText(/selected$/).waitFor({ state: 'detached' })
})

test('revoking all of a filter spares what it does not select, what is made later, and the own session', async () => {
  const [bert, carla] = [await come('bert'), await come('carla')]
  const person = await atBoard()
  const { page } = person
  await chip(page, /^Sessions/).check({ force: true })
  const whom = page.getByRole('combobox', { name: 'Lets in' })
  await whom.fill('ber')
  await page.getByRole('option', { name: /bert/ }).click()
  await session(page, 'carla').first().waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Revoke all of this filter…' }).click()
  const dialog = question(page, /Revoke 1 way in/)
  await dialog.getByText('Lets in: bert').waitFor()
  await dialog.getByText(/What is made later than now stays/).waitFor()
  latchkey.clock.advance(1_000)
  const later = await come('bert')
  await yes(page)
  await page.getByText('1 way in was revoked.').waitFor()
  expect([await stateOf(bert), await stateOf(carla), await stateOf(later)]).toEqual(['SESSION_EXPIRED', 'ok', 'ok'])

  await page.getByRole('button', { name: 'Clear Lets in' }).click()
  await session(page, 'carla').first().waitFor()
  await page.getByRole('button', { name: 'Revoke all of this filter…' }).click()
  await yes(page)
  await expect.poll(() => stateOf(later)).toBe('SESSION_EXPIRED')
  await expect.poll(() => rows(page, /Session/).count()).toBe(1)
  await rows(page, /this session/).waitFor()

  await chip(page, /^Developer tokens · 0/).check({ force: true })
  await page.getByText('No program signs in with a developer token.').waitFor()
  await choose(page, 'Not used for', '7 days or longer')
  await page.getByText(/Nothing of this kind fits/).waitFor()
  await page.getByRole('button', { name: 'Show everything' }).click()
  await rows(page, /this session/).waitFor()
  admin = await buildSignedIn(latchkey, ADMIN.username, ADMIN.password)
  expectQuiet(person)
})

describe.each(LOOKS)('%s at %i', (scheme, width) => {
  test('the board and its questions are accessible', async () => {
    await come('bert')
    await mint(ids.carla)
    latchkey.mintStartupToken()
    const person = await atBoard(scheme, width)
    const { page } = person
    await rows(page, /Startup token/).waitFor()
    await page.getByLabel('Select: Session of bert').first().check()
    await expectAccessiblePage(page, 'access board')
    await page.getByRole('button', { name: 'Clear selection' }).click()
    await page.getByRole('button', { name: 'Revoke all of this filter…' }).click()
    await question(page, /Revoke/).waitFor()
    await expectAccessible(page, 'revoking all of a filter')
    expectQuiet(person)
  })
})
