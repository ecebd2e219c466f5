import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { confirm, look, press, refused } from './link-page.ts'
import { expectQuiet, heading, keptByBrowser, signIn, visit } from './visit.ts'

let browser: Browser
let latchkey: TestServer
let admin: Visitor
let luis = 0

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  luis = await createUser(admin, { username: 'luis', display_name: 'Luis from downstairs' })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

async function mint(
  redirect_to?: string,
  login_user_id = luis,
): Promise<{ uuid: string; token: string; login_url: string }> {
  const body = { login_user_id, expires_in: 600, ...(redirect_to === undefined ? {} : { redirect_to }) }
  return dataOf(await admin.client.loginTokens.create({ body }))
}

async function statusOf(uuid: string): Promise<string> {
  const args = { params: { uuid }, query: { with_trashed: 'true' as const } }
  return dataOf(await admin.client.loginTokens.read(args)).status
}

test('ten loads, ten HEADs and ten GETs spend nothing and leave no secret behind; two presses sign in, once', async () => {
  const { uuid, token, login_url } = await mint()
  const person = await visit(browser, latchkey.url)
  const { page } = person
  const asked: string[] = []
  page.on('request', (request) => {
    if (request.url().includes('/api/') && request.method() !== 'GET') asked.push(new URL(request.url()).pathname)
    expect(request.url()).not.toContain(token)
  })
  for (let load = 0; load < 10; load++) {
    await page.goto('about:blank')
    await page.goto(login_url)
    await look(page).waitFor()
    const answers = ['HEAD', 'GET'].map((method) => page.request.fetch(`/login/token/${token}`, { method }))
    for (const answer of await Promise.all(answers)) {
      expect(answer.headers()).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    }
  }
  expect(asked).toEqual([])
  expect(await statusOf(uuid)).toBe('active')
  expect(page.url()).toBe(`${latchkey.url}/login/token`)
  expect(await keptByBrowser(page)).not.toContain(token)

  await look(page).click()
  await page.getByRole('group', { name: 'This link is for' }).getByText('Luis from downstairs').waitFor()
  await page.getByText(/^Valid for another 9:\d\d$/).waitFor()
  expect(asked).toEqual(['/api/auth/login-token'])
  expect(await statusOf(uuid)).toBe('active')
  await confirm(page).click()
  await heading(page, 'Hello, luis')
  expect(await statusOf(uuid)).toBe('used')
  expect(await keptByBrowser(page)).not.toContain(token)

  const other = await visit(browser, latchkey.url)
  await other.page.goto(login_url)
  await look(other.page).click()
  await refused(other.page)
  await other.page.getByRole('link', { name: 'Go to sign-in' }).click()
  await heading(other.page, 'Sign in')
  expectQuiet(person, other)
})

test('Enter works twice; a second press too soon after the first signs nobody in', async () => {
  const { uuid, login_url } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await page.goto(login_url)
  await expect.poll(() => look(page).evaluate((button) => button === document.activeElement)).toBe(true)
  await page.evaluate(() => {
    const watch = new MutationObserver(() => {
      const button = [...document.querySelectorAll('button')].find((each) => each.innerText.startsWith('Sign in as'))
      if (!button) return
      watch.disconnect()
      button.click()
      document.body.setAttribute('data-echo', 'yes')
    })
    watch.observe(document.body, { subtree: true, childList: true })
  })
  await page.keyboard.press('Enter')
  await page.locator('body[data-echo]').waitFor()
  await expect.poll(() => confirm(page).evaluate((button) => button === document.activeElement)).toBe(true)
  await expect.poll(() => confirm(page).isEnabled()).toBe(true)
  expect(await statusOf(uuid)).toBe('active')
  await page.keyboard.press('Enter')
  await heading(page, 'Hello, luis')
})

test('two people who press at once are one sign-in and one refusal', async () => {
  const { login_url } = await mint()
  const pages = await Promise.all([1, 2].map(async () => (await visit(browser, latchkey.url)).page))
  for (const page of pages) {
    await page.goto(login_url)
    await look(page).click()
    await expect.poll(() => confirm(page).isEnabled()).toBe(true)
  }
  await Promise.all(pages.map((page) => confirm(page).click()))
  const ends = pages.map(async (page) => {
    const inside = page.getByRole('heading', { name: 'Hello, luis' })
    await inside.or(page.getByTestId('refusal')).waitFor()
    return inside.count()
  })
  expect((await Promise.all(ends)).sort()).toEqual([0, 1])
})

test('the secret in the path is in no Referer, no address and no history, also on the way back; it leads to our page', async () => {
  const { token } = await mint('/account')
  const { page } = await visit(browser, latchkey.url)
  const referrers: string[] = []
  page.on('request', (request) => void request.allHeaders().then(({ referer }) => referer && referrers.push(referer)))
  await page.goto('/login')
  await heading(page, 'Sign in')
  await page.goto(`/login/token/${token}`)
  await look(page).waitFor()
  expect(page.url()).toBe(`${latchkey.url}/login/token`)
  await press(page)
  await heading(page, 'My account')
  expect(page.url()).toBe(`${latchkey.url}/account`)
  await page.getByRole('link', { name: 'Overview' }).click()
  await heading(page, 'Hello, luis')
  const places = [await keptByBrowser(page)]
  for (const name of ['My account', 'Hello, luis']) {
    await page.goBack()
    await heading(page, name)
    places.push(await keptByBrowser(page))
  }
  expect(places.join()).not.toContain(token)
  expect(referrers.join()).not.toContain(token)
})

test('a link pasted over the open page is taken; after a reload the page asks to open it again', async () => {
  const { token, login_url } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await page.goto('/login/token')
  await heading(page, 'This link is incomplete')
  await page.evaluate((url) => (location.href = url), login_url)
  await look(page).click()
  await confirm(page).waitFor()
  expect(await keptByBrowser(page)).not.toContain(token)
  await page.reload()
  await heading(page, 'This link is incomplete')
})

test('who is signed in already is told as whom before he presses', async () => {
  const { login_url } = await mint()
  const { page } = await visit(browser, latchkey.url)
  await signIn(page, ADMIN.username, ADMIN.password)
  await page.goto(login_url)
  await page.getByText('You are signed in here as ann.').waitFor()
  await look(page).click()
  await confirm(page).waitFor()
  await page.getByText('You are signed in here as ann.').waitFor()
  await page.getByRole('link', { name: 'Go on as ann' }).click()
  await heading(page, 'Hello, ann')
  await page.goto(login_url)
  await press(page)
  await heading(page, 'Hello, luis')
})

test('a person disabled after the link was made is refused, and so is one who is gone', async () => {
  const rita = await createUser(admin, { username: 'rita' })
  const params = { id: String(rita) }
  const { page } = await visit(browser, latchkey.url)
  const disabled = await mint(undefined, rita)
  await page.goto(disabled.login_url)
  await look(page).click()
  await confirm(page, 'rita').waitFor()
  dataOf(await admin.client.users.edit({ params, body: { enabled: false } }))
  await confirm(page, 'rita').click()
  await refused(page)
  dataOf(await admin.client.users.edit({ params, body: { enabled: true } }))
  const { login_url } = await mint(undefined, rita)
  dataOf(await admin.client.users.remove({ params }))
  await page.goto('about:blank')
  await page.goto(login_url)
  await look(page).click()
  await refused(page)
})
