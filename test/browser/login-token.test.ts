import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildClock } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectQuiet, heading, inConsole, keptByBrowser, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: TestServer
let admin: Visitor
let luis = 0

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  luis = await createUser(admin, { username: 'luis' })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function mint(redirect_to?: string, login_user_id = luis): Promise<{ token: string; login_url: string }> {
  const body = { login_user_id, expires_in: 600, ...(redirect_to === undefined ? {} : { redirect_to }) }
  return dataOf(await admin.client.loginTokens.create({ body }))
}

const button = (page: Page) => page.getByRole('button', { name: 'Sign in', exact: true })

test('ten loads spend nothing and leave no secret behind; the button signs in, once', async () => {
  const { token, login_url } = await mint()
  const person = await visit(browser, latchkey.url)
  const { page } = person
  const posts: string[] = []
  page.on('request', (request) => {
    if (request.method() === 'POST') posts.push(request.url())
    expect(request.url()).not.toContain(token)
  })
  for (let load = 0; load < 10; load++) {
    await page.goto('about:blank')
    await page.goto(login_url)
    await button(page).waitFor()
  }
  expect(posts).toEqual([])
  expect(page.url()).toBe(`${latchkey.url}/login/token`)
  expect(await keptByBrowser(page)).not.toContain(token)

  await button(page).click()
  await heading(page, 'Hello, luis')
  expect(await keptByBrowser(page)).not.toContain(token)
  expect(await page.evaluate(() => JSON.stringify(history.state))).not.toContain(token)

  const other = await visit(browser, latchkey.url)
  await other.page.goto(login_url)
  await button(other.page).click()
  await other.page.getByTestId('refusal').getByText('The login token is wrong, used up or no longer valid.').waitFor()
  expect(await button(other.page).count()).toBe(0)
  await other.page.getByRole('link', { name: 'Go to sign-in' }).click()
  await heading(other.page, 'Sign in')
  expectQuiet(person, other)
})

test('a link pasted over the open page is taken, and forgotten by the history too', async () => {
  const { token, login_url } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login/token')
  await heading(page, 'This link is incomplete')
  await page.evaluate((url) => (location.href = url), login_url)
  await button(page).waitFor()
  expect(await keptByBrowser(page)).not.toContain(token)
  await button(page).click()
  await heading(page, 'Hello, luis')
  await page.getByRole('link', { name: 'My account' }).click()
  await heading(page, 'My account')
  expect(await keptByBrowser(page)).not.toContain(token)
  await page.goBack()
  await heading(page, 'Hello, luis')
  expect(await keptByBrowser(page)).not.toContain(token)
})

test('after a reload the page asks to open the link again', async () => {
  const { page } = await visit(browser, latchkey.url)
  const { login_url } = await mint()
  await page.goto(login_url)
  await button(page).waitFor()
  await page.reload()
  await heading(page, 'This link is incomplete')
  await page.goto('about:blank')
  await page.goto(login_url)
  await button(page).click()
  await heading(page, 'Hello, luis')
})

test('the secret as part of the path is moved out of sight as well', async () => {
  const { token } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await page.goto(`/login/token/${token}`)
  await button(page).waitFor()
  expect(page.url()).toBe(`${latchkey.url}/login/token`)
  expect(await keptByBrowser(page)).not.toContain(token)
  await button(page).click()
  await heading(page, 'Hello, luis')
})

test('it leads to the page of ours that it names', async () => {
  const { login_url } = await mint('/account')
  const { page } = await visit(browser, latchkey.url)
  await page.goto(login_url)
  await button(page).click()
  await heading(page, 'My account')
  expect(page.url()).toBe(`${latchkey.url}/account`)
})

test('it leads to an allowed address elsewhere', async () => {
  dataOf(await admin.client.settings.change({ body: { redirect_origins: ['http://elsewhere.invalid'] } }))
  const { login_url } = await mint('http://elsewhere.invalid/wiki?page=1')
  const { page, context } = await visit(browser, latchkey.url)
  await context.route('http://elsewhere.invalid/**', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<h1>Elsewhere</h1>` }),
  )
  await page.goto(login_url)
  const leaving = page.waitForRequest('http://elsewhere.invalid/**')
  await button(page).click()
  expect((await (await leaving).allHeaders())['referer']).toBeUndefined()
  await heading(page, 'Elsewhere')
  expect(page.url()).toBe('http://elsewhere.invalid/wiki?page=1')
})

test('who is signed in already is told as whom before he presses', async () => {
  const { login_url } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await signIn(page, ADMIN.username, ADMIN.password)
  await page.goto(login_url)
  await page.getByText('You are signed in here as ann.').waitFor()
  await page.getByRole('link', { name: 'Go on as ann' }).click()
  await heading(page, 'Hello, ann')
  await page.goto(login_url)
  await button(page).click()
  await heading(page, 'Hello, luis')
})

test('who has to choose a password first lands at the change form, and then where the link leads', async () => {
  const gated = await createUser(admin, {
    username: 'nora',
    password: 'Temporary-1234',
    require_password_change: true,
    expires_hours: 24,
  })
  const { login_url } = await mint('/account', gated)
  const { page } = await visit(browser, latchkey.url)
  await page.goto(login_url)
  await button(page).click()
  await heading(page, 'Choose your own password')
  await page.getByLabel('New password', { exact: true }).fill('velvet mountain spoon')
  await page.getByLabel('New password, once more').fill('velvet mountain spoon')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await heading(page, 'My account')
  await inConsole(page)
})
