import { gzipSync } from 'node:zlib'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { visit } from './visit.ts'

let browser: Browser
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startLatchkey()
  await setUp(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.stop()
})

test('the sign-in page loads at most 200 KB of compressed JavaScript, nothing from elsewhere, and one language', async () => {
  const { page } = await visit(browser, latchkey.url)
  const scripts: Promise<number>[] = []
  const addresses: string[] = []
  page.on('response', (response) => {
    addresses.push(response.url())
    if (new URL(response.url()).pathname.endsWith('.js'))
      scripts.push(response.body().then((body) => gzipSync(body).length))
  })
  await page.goto('/login', { waitUntil: 'networkidle' })
  await page.getByLabel('Password', { exact: true }).waitFor()
  const total = (await Promise.all(scripts)).reduce((sum, size) => sum + size, 0)
  expect(total).toBeGreaterThan(50_000)
  expect(total).toBeLessThanOrEqual(200 * 1024)
  expect(addresses.filter((address) => !address.startsWith(latchkey.url))).toEqual([])
  expect(addresses.filter((address) => /\/(de|ru|zh-CN)-/.test(address))).toEqual([])
})

test('the first form is there after less than a second of work for the browser', async () => {
  const { page, context } = await visit(browser, latchkey.url)
  const inspector = await context.newCDPSession(page)
  await inspector.send('Performance.enable', { timeDomain: 'threadTicks' })
  await page.goto('/login')
  await page.getByLabel('Password', { exact: true }).waitFor()
  const { metrics } = await inspector.send('Performance.getMetrics')
  const work = metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Infinity
  expect(work).toBeLessThan(1)
})
