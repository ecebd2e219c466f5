import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, codeOf, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectQuiet, heading, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: TestServer
let admin: Visitor

/** More than a page of the list holds. */
const MANY = 230

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const boss = await createUser(admin, { username: 'zoe', display_name: '=HYPERLINK("http://evil.example")' })
  for (let n = 0; n < MANY; n++) {
    const username = `crew${String(n).padStart(3, '0')}`
    await createUser(admin, { username, manager_id: boss, email: `${username}@example.org`, enabled: n % 2 === 0 })
  }
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function toUsers(page: Page): Promise<void> {
  await signIn(page)
  await page.getByRole('link', { name: 'Users' }).click()
  await heading(page, 'Users')
}

async function choose(page: Page, what: 'Import' | 'Export'): Promise<void> {
  await page.getByRole('button', { name: 'Import and export' }).click()
  await page.getByRole('menuitem', { name: what }).click()
}

/** Opens the import and gives it this file. */
async function importing(page: Page, text: string | Buffer): Promise<Locator> {
  await choose(page, 'Import')
  const dialog = page.getByRole('dialog', { name: 'Import users' })
  await give(dialog, text)
  return dialog
}

async function give(dialog: Locator, text: string | Buffer): Promise<void> {
  const path = join(latchkey.directory, 'people.csv')
  await writeFile(path, text)
  await dialog.locator('input[type=file]').setInputFiles(path)
}

async function exported(page: Page): Promise<string> {
  const saving = page.waitForEvent('download')
  await choose(page, 'Export')
  const download = await saving
  expect(download.suggestedFilename()).toMatch(/^latchkey-users-\d{4}-\d\d-\d\d\.csv$/)
  return readFile(await download.path(), 'utf8')
}

async function totalOf(q = ''): Promise<number> {
  return dataOf(await admin.client.users.list({ query: { limit: '1', ...(q ? { q } : {}) } })).total
}

test('the export holds everybody who is found, page by page, and no formula', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toUsers(page)
  const everybody = (await exported(page)).split('\r\n')
  expect(everybody[0]).toBe(
    '\uFEFFuser_id,username,email,display_name,superuser,permissions,manager,enabled,lang,created_at,last_sign_in_at',
  )
  expect(everybody).toHaveLength(1 + MANY + 2 + 1)
  expect(everybody.find((line) => /^\d+,zoe,/.test(line))).toContain(`"'=HYPERLINK(""http://evil.example"")"`)
  expect(everybody[2]).toMatch(/^\d+,crew000,crew000@example.org,,no,,zoe,yes,,\d{4}-.*Z,$/)
  await page.getByText(`${MANY + 2} users were exported.`).waitFor()

  await page.getByLabel('Search name or mail address').fill('crew01')
  await page.getByText('10 users').waitFor()
  const found = (await exported(page)).trim().split('\r\n').slice(1)
  expect(found.map((line) => line.split(',')[1])).toEqual(Array.from({ length: 10 }, (_, n) => `crew01${n}`))
  expectQuiet(person)
})

test('an export that is refused half-way says so, and can be tried again or cancelled', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toUsers(page)
  let broken = true
  await page.route(/users\?.*cursor=/, (route) =>
    broken
      ? route.fulfill({ status: 500, json: { status: 'error', error: 'INTERNAL', message: '' } })
      : route.continue(),
  )
  await choose(page, 'Export')
  const dialog = page.getByRole('dialog', { name: 'Export users' })
  await dialog.getByText(/Something went wrong on the server/).waitFor()
  broken = false
  const saving = page.waitForEvent('download')
  await dialog.getByRole('button', { name: 'Try again' }).click()
  await saving
  await dialog.waitFor({ state: 'hidden' })
})

test('faulty lines are told by line, column and cause; the sound ones can be imported without them', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toUsers(page)
  const dialog = await importing(
    page,
    [
      '\uFEFFUserName;E-Mail;Display Name;permissions;manager;Phone;lang',
      'nina;;"Nina\r\nof two lines";;;;',
      "'-olaf;;Olaf;USER_CONFIG;zoe;1;de",
      'No Name!;;;;;;',
      'crew000;;;;;;',
      'paul;;;FLYING;nobody.here;;xx',
      'rita;;Rita;AUDIT_LOG;;;;;too many',
      ';;no name;;;;',
      'rolf;;Rolf;AUDIT_LOG;-olaf;;en',
      'rolf;;again;;;;',
    ].join('\r\n'),
  )
  await dialog.getByText('2 lines are sound.').waitFor()
  await dialog.getByText('These columns are not used: E-Mail, Phone').waitFor()
  await dialog.getByText('7 lines have faults:').waitFor()
  const rows = await dialog.getByRole('region', { name: 'Faults' }).getByRole('row').allInnerTexts()
  expect(rows.slice(1).map((row) => row.split(/\s*[\t\n]\s*/))).toEqual([
    ['2', 'display_name', 'Must have 1 to 80 characters.'],
    ['5', 'username', '3 to 32 characters: a–z, 0–9, “_”, “.” and “-”.'],
    ['6', 'username', 'Belongs to somebody who is there already.'],
    ['7', 'permissions', expect.stringContaining('USER_CONFIG, LOGIN_TOKENS')],
    ['7', 'lang', 'There are: en, zh-CN, ru, de.'],
    ['7', 'manager', 'There is nobody of this user name.'],
    ['8', '–', 'The line has more cells than there are columns.'],
    ['9', 'username', 'Is empty.'],
    ['11', 'username', 'Stands on an earlier line already.'],
  ])
  await dialog.getByRole('cell', { name: 'Olaf', exact: true }).waitFor()
  const before = await totalOf()
  await dialog.getByRole('button', { name: 'Skip faulty lines and import 2 users' }).click()
  await dialog.getByText('2 users were imported. 7 lines were skipped.').waitFor()
  expect(await totalOf()).toBe(before + 2)
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await page.getByText(`${before + 2} users`).waitFor()
  expect(dataOf(await admin.client.users.list({ query: { q: 'olaf' } })).items).toMatchObject([
    { username: '-olaf', display_name: 'Olaf', permissions: ['USER_CONFIG'], lang: 'de' },
  ])
  expectQuiet(person)
})

test('a file without faults is imported whole; its own export comes back as known already', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toUsers(page)
  await choose(page, 'Import')
  const dialog = page.getByRole('dialog', { name: 'Import users' })
  // Dropped, as from a file manager.
  const files = await page.evaluateHandle(() => {
    const transfer = new DataTransfer()
    transfer.items.add(new File(['username\tsuperuser\tenabled\nsina\tno\tyes\nsuse\t\tno\n'], 'people.tsv'))
    return transfer
  })
  const place = dialog.getByText('or drop it here')
  await place.dispatchEvent('dragover', { dataTransfer: files })
  await place.dispatchEvent('drop', { dataTransfer: files })
  await dialog.getByText('2 lines are sound.').waitFor()
  await dialog.getByRole('button', { name: 'Import 2 users' }).click()
  await dialog.getByText('2 users were imported.').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await dialog.waitFor({ state: 'hidden' })

  const own = await exported(page)
  const again = await importing(page, own)
  await again.getByText('No line is sound.').waitFor()
  expect(await again.getByText(/not used/).count()).toBe(0)
  expect(await again.getByRole('button', { name: /^(Import|Skip)/ }).count()).toBe(0)
  await again.getByRole('button', { name: 'Choose another file' }).click()
  await again.getByRole('button', { name: 'Choose a file' }).waitFor()
  expectQuiet(person)
})

test('files that cannot be taken are refused with words, and nothing is sent', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toUsers(page)
  const posts: string[] = []
  page.on('request', (request) => request.url().includes('/imports') && posts.push(request.method()))
  const dialog = await importing(page, 'username,Password\nann,secret\n')
  await dialog.getByText(/Passwords do not travel in files: remove the column/).waitFor()
  await give(dialog, 'name,email\nann,a@example.org\n')
  await dialog.getByText(/The column “username” is missing/).waitFor()
  await give(dialog, 'username,email,Email\nann,,\n')
  await dialog.getByText('The column “email” is there more than once.').waitFor()
  await give(dialog, Buffer.from([0x75, 0x73, 0xfc, 0x0a]))
  await dialog.getByText(/not saved as UTF-8/).waitFor()
  await give(dialog, '')
  await dialog.getByText('There are no users in this file.').waitFor()
  expect(posts).toEqual([])
  await give(dialog, 'username\n\n')
  await dialog.getByText('There are no users in this file.').waitFor()
  await give(dialog, 'username\ntina\n"toni\n')
  await dialog.getByText('A quotation mark that opens at line 3 is never closed.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expectQuiet(person)
})

test('cancelling a run takes back what it made; the page answers all the while', async () => {
  const person = await visit(browser, latchkey.url)
  const { page } = person
  await toUsers(page)
  const before = await totalOf()
  const lines = Array.from({ length: 20_000 }, (_, n) => `bulk${n},bulk${n}@example.org,${'Long name '.repeat(6)}${n}`)
  await page.evaluate(() => {
    let last = performance.now()
    let longest = 0
    setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
      document.documentElement.dataset['longest'] = String(longest)
    }, 20)
  })
  const dialog = await importing(page, `username,email,display_name\n${lines.join('\n')}\n`)
  await dialog.getByText('20000 lines are sound.').waitFor({ timeout: 50_000 })
  const longest = await page.evaluate(() => Number(document.documentElement.dataset['longest']))
  expect(longest, 'the page stood still for so many milliseconds').toBeLessThan(1500)
  await dialog.getByRole('button', { name: 'Import 20000 users' }).click()
  await dialog.getByText('Importing users').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  const question = page.getByRole('dialog', { name: 'Cancel the import?' })
  await question.getByRole('button', { name: 'Go on' }).click()
  await question.waitFor({ state: 'hidden' })
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await question.getByRole('button', { name: 'Cancel the import' }).click()
  await dialog.getByText('The import was cancelled. Nothing was kept.').waitFor({ timeout: 50_000 })
  expect(await totalOf()).toBe(before)
  expectQuiet(person)
}, 150_000)

test('whoever leaves the page in the middle is asked, and then leaves nothing behind', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toUsers(page)
  await page.route('**/imports/*/check', () => undefined)
  const begun = page.waitForResponse(/imports$/)
  await importing(page, 'username\nvera\n')
  const { import_id } = (await (await begun).json()).data
  await page.getByText('Checking the lines').waitFor()
  const read = async () => codeOf(await admin.client.userImports.read({ params: { import_id } }))
  expect(await read()).toBe('ok')
  const browserAsks = page.waitForEvent('dialog')
  void page.reload().catch(() => undefined)
  await (await browserAsks).accept()
  await expect.poll(read).toBe('IMPORT_NOT_FOUND')
})
