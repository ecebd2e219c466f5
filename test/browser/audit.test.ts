import { readFile } from 'node:fs/promises'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import {
  buildSignedIn,
  buildSuperuser,
  buildVisitor,
  codeOf,
  createUser,
  dataOf,
  type Visitor,
} from '../helpers/visitor.ts'
import { expectAccessible, expectAccessiblePage, LOOKS } from './accessible.ts'
import { choose } from './users-page.ts'
import { expectQuiet, heading, signIn, signInAt, visit } from './visit.ts'

const PASSWORD = 'wooden quiet lamp'

let browser: Browser
let latchkey: TestServer
let admin: Visitor

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const bert = await createUser(admin, { username: 'bert', password: PASSWORD })
  await createUser(admin, { username: 'audra', password: PASSWORD, permissions: ['AUDIT_LOG'] })
  dataOf(await admin.client.loginTokens.create({ body: { login_user_id: bert, expires_in: 600 } }))
  dataOf(await admin.client.settings.change({ body: { session_idle: 7200 } }))
  await buildSignedIn(latchkey, 'bert', PASSWORD)
  await refuse()
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

/** Somebody tries to get in as bert and may not. */
async function refuse(): Promise<void> {
  const tried = await buildVisitor(latchkey.url).client.auth.login({ body: { username: 'bert', password: 'a guess' } })
  expect(codeOf(tried)).toBe('INCORRECT_CREDENTIALS')
}

async function atAudit(address = '/audit', scheme: 'light' | 'dark' = 'light', width = 1280) {
  const person = await visit(browser, latchkey.url, { scheme, width })
  // An auditor may look people up by what stands in the entries alone.
  await signIn(person.page, 'audra', PASSWORD)
  await person.page.goto(address)
  await entries(person.page).first().waitFor()
  return person
}

const list = (page: Page) => page.getByRole('region', { name: 'Entries' })
const entries = (page: Page) => list(page).getByRole('listitem')
const bars = (page: Page) => page.getByRole('toolbar', { name: /Choose a bar/ }).getByRole('button')

test('the filters find what they name, and the address of the page shows the same to others', async () => {
  const person = await atAudit()
  const { page } = person
  await entries(page).filter({ hasText: 'ann made a login token for bert' }).waitFor()
  await choose(page, 'Event', 'Sign-in refused')
  await expect.poll(() => entries(page).count()).toBe(1)
  await entries(page).filter({ hasText: 'A sign-in as bert was refused' }).getByText('INCORRECT_CREDENTIALS').waitFor()
  await page.getByRole('button', { name: 'Reset filters' }).click()
  await entries(page).filter({ hasText: 'The server started' }).waitFor()

  await choose(page, 'Outcome', 'Refused')
  await page.getByRole('combobox', { name: 'Person' }).fill('ber')
  await page.getByRole('option', { name: 'bert' }).click()
  await expect.poll(() => new URL(page.url()).search).toMatch(/^\?outcome=refused&user_id=\d+$/)
  await expect.poll(() => entries(page).count()).toBe(1)

  const other = await atAudit(new URL(page.url()).pathname + new URL(page.url()).search)
  expect(await entries(other.page).count()).toBe(1)
  await expect.poll(() => other.page.getByRole('combobox', { name: 'Person' }).inputValue()).toBe('bert')

  await page.getByLabel('Address').fill('192.0.2.1')
  await heading(page, 'No entry fits.')
  await page.goto('/audit?event=no_such_event&from=yesterday')
  await entries(page).filter({ hasText: 'The server started' }).waitFor()
  expectQuiet(person, other)
})

test('a bar of the chart is found by the keyboard and shows its entries; the times can be changed', async () => {
  const person = await atAudit()
  const { page } = person
  await page.getByRole('img', { name: /Bar chart.*refusal/ }).waitFor()
  expect(await bars(page).count()).toBe(24)
  await page.getByRole('radio', { name: '24 hours' }).focus()
  await page.keyboard.press('Tab')
  await page.keyboard.press('Home')
  await page.keyboard.press('Enter')
  await heading(page, 'No entry fits.')
  await page.keyboard.press('End')
  await page.keyboard.press('Enter')
  await entries(page).first().waitFor()
  const now = await bars(page).last().getAttribute('aria-label')
  expect(now).toMatch(/\d+ sign-ins, \d+ refusals?$/)
  const refusals = await page
    .getByRole('table', { name: 'Sign-ins and refusals' })
    .getByRole('row')
    .last()
    .textContent()
  expect(`${refusals}`).toMatch(/\d+/)
  await page.keyboard.press('Enter')
  await expect.poll(() => new URL(page.url()).search).toBe('')

  await page.getByRole('radio', { name: '30 days' }).check({ force: true })
  await expect.poll(() => bars(page).count()).toBe(30)
  await page.getByLabel('From').fill('2020-01-02T03:04')
  await page.getByLabel('Before').fill('2020-01-02T03:05')
  await heading(page, 'No entry fits.')
  const from = new URL(page.url()).searchParams.get('from') ?? ''
  expect(await page.evaluate((iso) => new Date(iso).getMinutes(), from)).toBe(4)
  expect(from).toMatch(/Z$/)
  expectQuiet(person)
})

test('an entry opens to all that is known of it; new ones wait until they are wanted', async () => {
  const person = await atAudit('/audit?event=sign_in_refused')
  const { page } = person
  const before = await entries(page).count()
  const opener = entries(page)
    .first()
    .getByRole('button', { name: /Details of entry \d+/ })
  await opener.press('Enter')
  const seq = Number((await opener.getAttribute('aria-label'))?.match(/\d+/)?.[0])
  for (const text of ['sign_in_refused', '127.0.0.1', 'INCORRECT_CREDENTIALS']) {
    await entries(page).first().getByText(text, { exact: true }).last().waitFor()
  }
  expect(
    await entries(page)
      .first()
      .getByText(/^[\w-]{43}$/)
      .count(),
  ).toBe(2)

  await refuse()
  await list(page).getByRole('button', { name: '1 new entry' }).waitFor()
  expect(await entries(page).count()).toBe(before)
  await list(page).getByRole('button', { name: '1 new entry' }).press('Enter')
  await expect.poll(() => entries(page).count()).toBe(before + 1)
  // The one that was open still is.
  const open = page.getByRole('button', { name: `Details of entry ${seq}` })
  expect(await open.getAttribute('aria-expanded')).toBe('true')
  expectQuiet(person)
})

test('an export holds the entries that the filter selects, or all of them, and a seal', async () => {
  const person = await atAudit('/audit?event=sign_in_refused')
  const { page } = person
  const shown = await entries(page).count()
  const [some, all] = [await take(page, /filter selects, as CSV/), await take(page, /Everything, as JSON Lines/)]
  const rows = some.text.trim().split('\r\n')
  expect(some.name).toMatch(/\.csv$/)
  expect(rows.filter((row) => row.includes(',sign_in_refused,'))).toHaveLength(shown)
  expect(rows).toHaveLength(shown + 2)
  expect(all.name).toMatch(/\.jsonl$/)
  expect(all.text).toContain('"event":"server_started"')
  expect(all.text.trim().split('\n').at(-1)).toContain('"seal"')
  expectQuiet(person)
})

async function take(page: Page, name: RegExp): Promise<{ name: string; text: string }> {
  if (!(await page.getByRole('link', { name }).isVisible())) await page.getByRole('button', { name: 'Export' }).click()
  const coming = page.waitForEvent('download')
  await page.getByRole('link', { name }).click()
  const download = await coming
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') }
}

test('the settings keep entries for ever or for some days', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await signInAt(page, '/settings')
  const section = page.getByRole('region', { name: 'Audit' })
  await section.getByRole('radio', { name: 'For some time' }).check()
  await section.getByLabel('Days').fill('3651')
  await section.getByRole('button', { name: 'Save' }).click()
  await section.getByText('Enter a whole number of days, from 30 to 3,650.').waitFor()
  await section.getByLabel('Days').fill('90')
  await section.getByRole('button', { name: 'Save' }).click()
  await section.getByText('Saved.').waitFor()
  expect(dataOf(await admin.client.settings.read()).audit_keep_days).toBe(90)
  expectQuiet(person)
})

describe.each(LOOKS)('%s at %i', (scheme, width) => {
  test('the audit, its details, filters and menus are accessible', async () => {
    const person = await atAudit('/audit', scheme, width)
    const { page } = person
    if (width < 700) await page.getByRole('button', { name: 'Filter' }).click()
    await bars(page).first().waitFor()
    await page
      .getByRole('button', { name: /Details of entry/ })
      .first()
      .click()
    await expectAccessiblePage(page, 'audit')
    await page.getByRole('button', { name: 'Export' }).click()
    await page.getByText('latchkey audit verify FILE').waitFor()
    await expectAccessible(page, 'exporting')
    await page.keyboard.press('Escape')
    await page.getByRole('combobox', { name: 'Event' }).press('Enter')
    await page.getByRole('option', { name: 'Sign-in refused' }).waitFor()
    await expectAccessible(page, 'choosing an event')
    expectQuiet(person)
  })
})
