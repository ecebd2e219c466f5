import { Secret, TOTP } from 'otpauth'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { ERROR_STATUS } from '../../api/errors.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { buildSignedIn, dataOf } from '../helpers/visitor.ts'
import { type AtprotoWorld, linkedUser } from '../server/atproto.ts'
import { expectAccessible, expectAccessiblePage } from '../browser/accessible.ts'
import { arriveAs, enterHandle, handleField, openAtproto, startHouse } from './page.ts'
import { expectQuiet, heading, inConsole, keptByBrowser, visit } from '../browser/visit.ts'

let browser: Browser
let world: AtprotoWorld

const PASSWORD = 'wooden quiet lamp'

beforeAll(async () => {
  browser = await launchChromium()
  world = await startHouse()
  await linkedUser(world, 'kai.test')
})
beforeEach(() => {
  world.provider.behave({})
  // Nobody may begin more than ten a minute.
  world.server.clock.advance(61_000)
})
afterAll(async () => {
  await browser.close()
  await world.end()
})

const focused = (page: Page) => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
const refusal = (page: Page) => page.getByTestId('refusal')
const pathOf = (page: Page) => new URL(page.url()).pathname

/** The exchange tokens that this page redeems. */
function exchangedBy(page: Page): string[] {
  const seen: string[] = []
  page.on('request', (request) => {
    expect(request.url()).not.toContain('exchange_token')
    if (request.url().endsWith('/api/auth/exchange')) seen.push(String(request.postDataJSON().exchange_token))
  })
  return seen
}

test('the keyboard alone signs in by handle, to the page that was asked for; nothing of the way is left behind', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  const tokens = exchangedBy(page)
  await page.goto('/account')
  await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('username')
  await page.keyboard.press('Shift+Tab')
  expect(await focused(page)).toBe('Password')
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('Enter')
  await handleField(page).waitFor()
  await page.keyboard.press('Tab')
  await expect.poll(() => handleField(page).evaluate((field) => field === document.activeElement)).toBe(true)
  await page.keyboard.type(' @Kai.test')
  await page.keyboard.press('Enter')
  await heading(page, 'My account')
  expect(page.url()).toBe(`${world.server.url}/account`)

  const [token = 'none'] = tokens
  expect(tokens).toEqual([expect.stringMatching(/^[\w-]{43}$/)])
  const places = [await keptByBrowser(page)]
  for (const leave of [() => page.goBack(), () => page.reload(), () => page.goForward()]) {
    await leave()
    await inConsole(page)
    places.push(await keptByBrowser(page))
  }
  expect(places.join()).not.toContain(token)
  expect(places.join()).not.toContain('exchange_token')
  expect(tokens).toHaveLength(1)
  expectQuiet(person)
})

test('a handle that cannot be one is told at the field; one that nobody has, with the way to mend it', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await openAtproto(page, '/login?returnUrl=/account')
  await expectAccessiblePage(page, 'sign-in by handle')
  world.provider.requests.length = 0
  await enterHandle(page, '')
  await page.getByText('Please fill this in.').waitFor()
  await enterHandle(page, 'no one at all')
  await page.getByText('A handle looks like alice.bsky.social.').waitFor()
  expect(world.provider.requests).toEqual([])

  await enterHandle(page, 'nobody.test')
  await refusal(page).getByText('No account was found under this handle. Check the spelling.').waitFor()
  expect(pathOf(page)).toBe('/login')
  expect(await focused(page)).toContain('No account was found under this handle.')
  expect(await page.getByRole('alert').first().textContent()).toContain('No account was found')
  expect(await handleField(page).inputValue()).toBe('nobody.test')
  await expectAccessible(page, 'a handle that nobody has')
  await enterHandle(page, 'kai.test')
  await heading(page, 'My account')
  expectQuiet(person)
})

test('whoever declines at the provider is told so, and can begin again', async () => {
  const { page } = await visit(browser, world.server.url)
  world.provider.behave({ deny: true })
  await openAtproto(page)
  await enterHandle(page, 'kai.test')
  await refusal(page).getByText('You declined at your provider. Nothing was changed.').waitFor()
  world.provider.behave({})
  await page.reload()
  await heading(page, 'Sign in')
  expect(await refusal(page).count()).toBe(0)
  await page.getByRole('tab', { name: 'ATProto account' }).click()
  await enterHandle(page, 'kai.test')
  await heading(page, 'Hello, kai')
  await page.goto('/login#auth_error=FLOW_DENIED')
  await page.getByText('You declined at your provider. Nothing was changed.').waitFor()
  expect(pathOf(page)).toBe('/')
})

test('every code that can come back in the address has a text; what is none of ours is harmless', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await page.goto('/login#auth_error=FLOW_REJECTED')
  const tell = async (code: string) => {
    const before = await refusal(page).textContent()
    await page.evaluate((news) => (location.hash = `auth_error=${news}`), code)
    await page.waitForFunction(() => location.hash === '')
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)))
    return { before, text: (await refusal(page).textContent()) ?? '' }
  }
  await refusal(page).getByText('could not be verified').waitFor()
  const texts: Record<string, string> = {}
  for (const code of Object.keys(ERROR_STATUS)) texts[code] = (await tell(code)).text
  const faulty = Object.entries(texts).filter(([code, text]) => text.length < 12 || /[{}]/.test(text) || text === code)
  expect(faulty).toEqual([])
  expect(texts).toMatchObject({ FLOW_EXPIRED: 'The sign-in took longer than ten minutes. Begin again.' })

  const { FLOW_INVALID: other } = texts
  for (const code of ['constructor', '__proto__', '', encodeURIComponent('<img src=x onerror=alert(1)>')]) {
    await tell('FLOW_DENIED')
    expect([code, (await tell(code)).text]).toEqual([code, other])
  }
  expect(await keptByBrowser(page)).not.toContain('auth_error')
  expectQuiet(person)
})

test('an exchange token that is spent, made up or absent leads nowhere, and says so', async () => {
  const { page } = await visit(browser, world.server.url)
  await page.goto(`/portal#exchange_token=${'x'.repeat(43)}`)
  await heading(page, 'The sign-in was not finished')
  await refusal(page).waitFor()
  expect(await keptByBrowser(page)).not.toContain('xxx')
  await page.reload()
  await heading(page, 'Sign in')
})

test('two-step sign-in is asked for after the provider, too, also after a reload; then comes the page that was asked for', async () => {
  await linkedUser(world, 'tess.test', { password: PASSWORD })
  const tess = await buildSignedIn(world.server, 'tess', PASSWORD)
  const { secret } = dataOf(await tess.client.auth.totpSetup())
  const code = () => {
    world.server.clock.advance(30_000)
    return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: world.server.clock() })
  }
  dataOf(await tess.client.auth.totpConfirm({ body: { code: code() } }))

  const person = await visit(browser, world.server.url)
  const { page } = person
  await openAtproto(page, '/login?returnUrl=/account')
  await enterHandle(page, 'tess.test')
  await heading(page, 'One more step')
  await page.reload()
  await heading(page, 'One more step')
  await page.goto('/account')
  await heading(page, 'One more step')
  await expectAccessible(page, 'second step after the provider')
  await page.getByLabel('Code', { exact: true }).fill('000000')
  await page.keyboard.press('Enter')
  await page
    .getByText(/The code is wrong or was already used/)
    .last()
    .waitFor()
  await page.getByLabel('Code', { exact: true }).fill(code())
  await page.keyboard.press('Enter')
  await heading(page, 'My account')
  expect(pathOf(page)).toBe('/account')
  expectQuiet(person)
})

test('a new account: the provider is chosen, then the name; a reload in the middle loses nothing', async () => {
  const { provider, admin } = world
  const options = [
    { name: 'Here', url: provider.url, recommended: true, description: 'Made for tests.', info_url: null },
    { name: 'There', url: provider.elsewhere, recommended: false, description: '', info_url: 'https://there.test' },
  ]
  const open = { atproto_pds_options: options, atproto_sign_up: 'open', account_creation_enabled: true } as const
  dataOf(await admin.client.settings.change({ body: open }))

  const person = await visit(browser, world.server.url)
  const { page } = person
  await openAtproto(page, '/login?returnUrl=/account')
  await page.getByRole('tab', { name: 'Create an account' }).click()
  expect(await page.getByRole('radio', { name: /Here/ }).isChecked()).toBe(true)
  await expectAccessiblePage(page, 'a new account')
  await page.getByRole('radio', { name: /There/ }).check()
  await page.getByRole('button', { name: 'Create an account at There' }).click()
  await heading(page, 'What should we call you?')
  expect(page.url()).toBe(`${world.server.url}/profile/setup`)
  await expectAccessiblePage(page, 'what to call somebody new')
  await page.reload()
  await heading(page, 'What should we call you?')
  await page.getByLabel('User name').fill('kai')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByText('This user name is taken.').waitFor()
  await page.getByLabel('User name').fill('nova')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await page.getByRole('button', { name: 'Account of nova' }).waitFor()

  // Whoever was here before is not asked.
  const again = await visit(browser, world.server.url)
  await arriveAs(again.page, 'kai.test')
  await heading(again.page, 'Hello, kai')
  dataOf(await admin.client.settings.change({ body: { account_creation_enabled: false, atproto_sign_up: 'linked' } }))
  expectQuiet(person, again)
})
