import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectQuiet, heading, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: TestServer
let admin: Visitor

const PASSWORD = 'plain user kettle'

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  await createUser(admin, { username: 'carl', password: PASSWORD })
  await createUser(admin, { username: 'sela', password: PASSWORD, permissions: ['SETTINGS'] })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function toSettings(page: Page): Promise<void> {
  await signIn(page)
  await page.getByRole('link', { name: 'Settings' }).click()
  await heading(page, 'Temporary passwords')
}

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

async function chooseUnit(part: Locator, unit: string): Promise<void> {
  await part.getByRole('combobox', { name: 'Unit' }).press('ArrowDown')
  await part.page().getByRole('option', { name: unit }).click()
}

async function held() {
  return dataOf(await admin.client.settings.read())
}

/** Presses save in a section, and answers what was sent. */
async function save(page: Page, name: string): Promise<unknown> {
  const sent = page.waitForRequest((request) => request.method() === 'PATCH')
  await section(page, name).getByRole('button', { name: 'Save' }).click()
  const body = (await sent).postDataJSON()
  await section(page, name).getByText('Saved.').waitFor()
  return body
}

test('only those who may change the settings see them', async () => {
  const carl = await visit(browser, latchkey.url)
  await signIn(carl.page, 'carl', PASSWORD)
  expect(await carl.page.getByRole('link', { name: 'Settings' }).count()).toBe(0)
  await carl.page.goto('/settings')
  await heading(carl.page, 'Nothing here')

  const sela = await visit(browser, latchkey.url)
  await signIn(sela.page, 'sela', PASSWORD)
  await sela.page.getByRole('link', { name: 'Settings' }).click()
  await heading(sela.page, 'Sessions')
})

test('the lives of temporary passwords: added, taken away, another chosen; the section saves what changed', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toSettings(page)
  const part = section(page, 'Temporary passwords')
  expect(await part.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
  expect(await part.getByRole('radio', { name: '24 hours' }).isChecked()).toBe(true)

  await part.getByLabel('Another life').fill('9000')
  await part.getByRole('button', { name: 'Add', exact: true }).click()
  await part.getByText('Enter a whole number, from 1 hour to 365 days.').waitFor()
  await part.getByLabel('Another life').fill('24')
  await part.getByRole('button', { name: 'Add', exact: true }).click()
  await part.getByText('This one is in the list already.').waitFor()
  await part.getByLabel('Another life').fill('3')
  await chooseUnit(part, 'days')
  await part.getByRole('button', { name: 'Add', exact: true }).click()
  await part.getByRole('radio', { name: '3 days' }).check()
  await part.getByRole('button', { name: 'Remove: 1 hour' }).click()
  expect(await save(page, 'Temporary passwords')).toEqual({
    temp_password_presets: [24, 72, 168, -1],
    temp_password_default: 72,
  })
  expect(await held()).toMatchObject({ temp_password_presets: [24, 72, 168, -1], temp_password_default: 72 })

  await part.getByRole('button', { name: 'Remove: No end' }).click()
  await part.getByRole('button', { name: 'Remove: 3 days' }).click()
  await part.getByRole('button', { name: 'Add “No end”' }).click()
  expect(await save(page, 'Temporary passwords')).toEqual({
    temp_password_presets: [24, 168, -1],
    temp_password_default: 24,
  })
  expectQuiet(person)
})

test('numbers and times outside their bounds are told at the field, and nothing is sent', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toSettings(page)
  let sent = 0
  page.on('request', (request) => (sent += request.method() === 'PATCH' ? 1 : 0))

  const passwords = section(page, 'Passwords')
  await passwords.getByLabel('Shortest length').fill('7')
  await passwords.getByRole('button', { name: 'Save' }).click()
  await passwords.getByText('Enter a whole number, from 8 to 64.').waitFor()
  const field = passwords.getByLabel('Shortest length')
  await expect.poll(() => field.evaluate((input) => input === document.activeElement)).toBe(true)
  expect(await field.getAttribute('aria-invalid')).toBe('true')

  const sessions = section(page, 'Sessions')
  const idle = sessions.getByRole('group', { name: 'Ends when unused for' })
  await chooseUnit(idle, 'minutes')
  await idle.getByRole('textbox').fill('2')
  await sessions.getByRole('button', { name: 'Save' }).click()
  await sessions.getByText('Enter a whole number, from 5 minutes to 30 days.').waitFor()
  expect(sent).toBe(0)

  await idle.getByRole('textbox').fill('90')
  expect(await save(page, 'Sessions')).toEqual({ session_idle: 5400 })
  await passwords.getByRole('button', { name: 'Discard changes' }).click()
  expect(await field.inputValue()).toBe('8')
  await passwords.getByText('15 characters or more are advisable').waitFor()
  await field.fill('15')
  expect(await passwords.getByText('15 characters or more are advisable').count()).toBe(0)
  expect(await save(page, 'Passwords')).toEqual({ min_password_length: 15 })
  await sessions.getByRole('button', { name: /Back to defaults/ }).click()
  expect(await save(page, 'Sessions')).toEqual({ session_idle: 86_400 })
  expectQuiet(person)
})

test('limits and redirects: each section saves its own', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toSettings(page)
  const limits = section(page, 'Limits on failed sign-ins')
  await limits.getByRole('group', { name: 'One user name from one address' }).getByLabel('Failures allowed').fill('4')
  const account = limits.getByRole('group', { name: 'One account, from anywhere' })
  await account.getByLabel('Failures in a row').fill('50')
  expect(await save(page, 'Limits on failed sign-ins')).toEqual({ name_failures: 4, account_failures: 50 })

  const redirects = section(page, 'Where login tokens may lead')
  const origins = redirects.getByLabel('Allowed addresses')
  await origins.fill('https://Wiki.example.org/\nhttps://wiki.example.org/path')
  await redirects.getByRole('button', { name: 'Save' }).click()
  await redirects.getByText(/“https:\/\/wiki.example.org\/path” is not an address/).waitFor()
  await origins.fill('https://Wiki.example.org/\n\n http://10.0.0.7:8080 ')
  expect(await save(page, 'Where login tokens may lead')).toEqual({
    redirect_origins: ['https://wiki.example.org', 'http://10.0.0.7:8080'],
  })
  expect(await held()).toMatchObject({
    name_failures: 4,
    redirect_origins: expect.arrayContaining([expect.any(String)]),
  })
  expectQuiet(person)
})

test('who leaves with unsaved changes is asked first', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toSettings(page)
  await section(page, 'Passwords').getByLabel('Shortest length').fill('20')
  await page.getByRole('link', { name: 'Users' }).click()
  const question = page.getByRole('dialog', { name: 'Leave without saving?' })
  await question.getByRole('button', { name: 'Cancel' }).click()
  expect(new URL(page.url()).pathname).toBe('/settings')
  expect(await section(page, 'Passwords').getByLabel('Shortest length').inputValue()).toBe('20')

  const browserAsks = page.waitForEvent('dialog')
  void page.reload().catch(() => undefined)
  await (await browserAsks).dismiss()

  await page.getByRole('link', { name: 'Users' }).click()
  await question.getByRole('button', { name: 'Leave' }).click()
  await heading(page, 'Users')
  await page.getByRole('link', { name: 'Settings' }).click()
  await heading(page, 'Passwords')
  await page.getByRole('link', { name: 'Users' }).click()
  await heading(page, 'Users')
  expectQuiet(person)
})

test('a session that ends while something is unsaved leads to the sign-in form without a question', async () => {
  const { page, context } = await visit(browser, latchkey.url)
  await toSettings(page)
  await section(page, 'Passwords').getByLabel('Shortest length').fill('20')
  await context.clearCookies()
  await section(page, 'Passwords').getByRole('button', { name: 'Save' }).click()
  await heading(page, 'Sign in')
})
