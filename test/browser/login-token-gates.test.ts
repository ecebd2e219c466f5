import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectAccessiblePage, LOOKS } from './accessible.ts'
import { confirm, look, press } from './link-page.ts'
import { expectQuiet, fillSignIn, heading, inConsole, keptByBrowser, visit } from './visit.ts'

/** Links that lead elsewhere, and those of people of whom something else is wanted first. */
let browser: Browser
let latchkey: TestServer
let admin: Visitor

const PASSWORD = 'plain user kettle'
const ELSEWHERE = 'http://elsewhere.invalid/wiki?page=1'

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  dataOf(await admin.client.settings.change({ body: { redirect_origins: ['http://elsewhere.invalid'] } }))
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function mint(login_user_id: number, redirect_to = '/'): Promise<string> {
  const body = { login_user_id, expires_in: 600, redirect_to }
  return dataOf(await admin.client.loginTokens.create({ body })).login_url
}

/** Switches two-step sign-in on, and answers how to make a code. */
async function enrol(username: string): Promise<() => string> {
  const { client } = await buildSignedIn(latchkey, username, PASSWORD)
  const { secret } = dataOf(await client.auth.totpSetup())
  const totp = new TOTP({ secret: Secret.fromBase32(secret) })
  const next = () => {
    // Each code is good for once.
    latchkey.clock.advance(30_000)
    return totp.generate({ timestamp: latchkey.clock() })
  }
  dataOf(await client.auth.totpConfirm({ body: { code: next() } }))
  return next
}

async function prove(page: Page, code: string): Promise<void> {
  await heading(page, 'One more step')
  await page.getByLabel('Code', { exact: true }).fill(code)
  await page.getByRole('button', { name: 'Confirm' }).click()
}

async function visitor() {
  const person = await visit(browser, latchkey.url)
  await person.context.route('http://elsewhere.invalid/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<h1>Elsewhere</h1>` }),
  )
  return person
}

test('it leads to an allowed address elsewhere, without telling where from', async () => {
  const login_url = await mint(await createUser(admin, { username: 'luis' }), ELSEWHERE)
  const { page } = await visitor()
  await page.goto(login_url)
  const leaving = page.waitForRequest('http://elsewhere.invalid/**')
  await press(page)
  expect((await (await leaving).allHeaders())['referer']).toBeUndefined()
  await heading(page, 'Elsewhere')
  expect(page.url()).toBe(ELSEWHERE)
})

test('after a forced change it still leads elsewhere, once', async () => {
  const body = { username: 'nora', password: 'Temporary-1234', require_password_change: true, expires_hours: 24 }
  const login_url = await mint(await createUser(admin, body), ELSEWHERE)
  const { page } = await visitor()
  await page.goto(login_url)
  await press(page, 'nora')
  await heading(page, 'Choose your own password')
  expect(await keptByBrowser(page)).not.toContain('elsewhere')
  await page.getByLabel('New password', { exact: true }).fill('velvet mountain spoon')
  await page.getByLabel('New password, once more').fill('velvet mountain spoon')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await heading(page, 'Elsewhere')
  expect(page.url()).toBe(ELSEWHERE)
  await page.goto('/')
  await heading(page, 'Hello, nora')
})

test('where there is a second factor, no page of the console comes before the code; then where the link leads', async () => {
  const otto = await createUser(admin, { username: 'otto', password: PASSWORD })
  const code = await enrol('otto')
  const login_url = await mint(otto, '/account')
  const person = await visitor()
  const { page } = person
  await page.goto(login_url)
  await press(page, 'otto')
  await heading(page, 'One more step')
  await page.goto('/account')
  await heading(page, 'One more step')
  expect(await page.getByRole('navigation').count()).toBe(0)
  await prove(page, '000000')
  await page
    .getByText(/The code is wrong/)
    .last()
    .waitFor()
  await prove(page, code())
  await heading(page, 'My account')
  await inConsole(page)
  expectQuiet(person)
})

test('whoever signs out at the code leaves nothing of the link to the next one', async () => {
  const pia = await createUser(admin, { username: 'pia', password: PASSWORD })
  await enrol('pia')
  const login_url = await mint(pia, ELSEWHERE)
  const { page } = await visitor()
  await page.goto(login_url)
  await press(page, 'pia')
  await heading(page, 'One more step')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await heading(page, 'Hello, ann')
})

test.each(LOOKS)('both steps and the code in %s at %i', async (scheme, width) => {
  const username = `quinn-${scheme}`
  const quinn = await createUser(admin, { username, display_name: 'Quinn', password: PASSWORD })
  await enrol(username)
  const login_url = await mint(quinn)
  const person = await visit(browser, latchkey.url, { scheme, width })
  const { page } = person
  await page.goto(login_url)
  await look(page).click()
  await expect.poll(() => confirm(page, username).isEnabled()).toBe(true)
  await expectAccessiblePage(page, 'whom the link is for')
  await confirm(page, username).click()
  await heading(page, 'One more step')
  await page.getByRole('button', { name: 'Confirm' }).click()
  await page.getByText('Please fill this in.').waitFor()
  await expectAccessiblePage(page, 'code after a link')
  expectQuiet(person)
})
