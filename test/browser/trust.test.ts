import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import type { TestServer } from '../helpers/server.ts'
import { ADMIN, buildSuperuser } from '../helpers/visitor.ts'
import { at, buildNetwork, startInNetwork } from '../server/network.ts'
import { expectNoFindings } from './accessible.ts'
import { fillSignIn } from './visit.ts'

let browser: Browser
let latchkey: TestServer
beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startInNetwork(buildNetwork(at('127.4.0.5')), { config: { lan: true } })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

/** The page in a browser that takes every certificate, or only those it knows an authority of. */
async function look(options: { trusts: boolean; locale?: string; dark?: boolean; width?: number }) {
  const { trusts, locale = 'en', dark = false, width = 1280 } = options
  const context = await browser.newContext({
    ...{ ignoreHTTPSErrors: trusts, locale, baseURL: latchkey.url },
    ...{ colorScheme: dark ? ('dark' as const) : ('light' as const), viewport: { width, height: 844 } },
  })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  const refused: string[] = []
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) refused.push(message.text())
  })
  await page.goto('/trust')
  return { page, refused }
}

const verdict = (page: Page) => page.getByRole('status').textContent()

test('a device that does not trust us learns so, sees what to do, and hears by itself when it does', async () => {
  const { page, refused } = await look({ trusts: false })
  await expect.poll(() => verdict(page)).toContain('does not trust it yet')
  await page.getByText('Trusted certificates').waitFor()
  await page.getByText('iPhone and iPad').click()
  await page.getByRole('link', { name: 'latchkey.mobileconfig' }).waitFor()
  // As when the authority was installed meanwhile: the same question is answered now.
  await page.route('**/trust/check', (route) =>
    route.fulfill({ status: 204, headers: { 'Access-Control-Allow-Origin': '*' } }),
  )
  await expect.poll(() => verdict(page), { timeout: 10_000 }).toBe('✓ This device reaches Latchkey trusted.')
  expect(refused).toEqual([])
})

test('a device that trusts us sees it at once, through its own policy and from another origin', async () => {
  const { page, refused } = await look({ trusts: true })
  await expect.poll(() => verdict(page)).toContain('✓')
  expect(refused).toEqual([])
})

test('a browser that trusts us signs in over TLS like at the machine itself', async () => {
  await buildSuperuser(latchkey)
  const [url = ''] = latchkey.lan().urls
  const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-GB', baseURL: url })
  onTestFinished(() => context.close())
  const page = await context.newPage()
  await page.goto('/')
  await fillSignIn(page, ADMIN.username, ADMIN.password)
  await page.getByRole('link', { name: 'Settings' }).waitFor()
  const cookies = await context.cookies()
  expect(cookies.map(({ name, secure, httpOnly }) => [name, secure, httpOnly])).toEqual([
    ['__Host-latchkey_session', true, true],
  ])
})

// Each language once, each width and appearance once.
test.each([
  ['en', { width: 1280, dark: false }],
  ['de', { width: 390, dark: true }],
  ['ru', { width: 1280, dark: true }],
  ['zh-CN', { width: 390, dark: false }],
])('everybody can read it: %s', async (locale, as) => {
  const { page } = await look({ trusts: true, locale, ...as })
  await expect.poll(() => verdict(page)).toContain('✓')
  await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)))
  await expectNoFindings(page, locale)
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
})
