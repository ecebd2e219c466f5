import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import type { TestServer } from '../helpers/server.ts'
import { buildSuperuser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { askOverTls, at, authorityOf, buildNetwork, portOf, startInNetwork } from '../server/network.ts'
import { expectAccessible, expectNoFindings } from './accessible.ts'
import { heading, signIn, visit } from './visit.ts'

const HERE = '127.9.0.5'

let browser: Browser
let latchkey: TestServer
let admin: Visitor

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startInNetwork(buildNetwork(at(HERE)), { config: { trustedProxies: ['127.0.0.0/8'] } })
  admin = await buildSuperuser(latchkey)
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

const network = (page: Page) => page.getByRole('region', { name: 'Network', exact: true })

async function toNetwork(page: Page): Promise<void> {
  await signIn(page)
  await page.getByRole('link', { name: 'Settings' }).click()
  await heading(page, 'Network')
}

test('the switch of the settings lets the network in, and the section says how a device gets there', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toNetwork(page)
  const part = network(page)
  expect(await part.getByText('Addresses in this network').count()).toBe(0)
  await part.getByLabel('Reachable from this network').click()
  await part.getByRole('button', { name: 'Save' }).click()
  const port = portOf(latchkey)
  await part.getByText(`https://latchkey.local:${port}`).waitFor()
  await part.getByText(`https://${HERE}:${port}`).waitFor()

  await part.getByRole('button', { name: 'Set up a device' }).click()
  await part.getByRole('img', { name: 'QR code of the page that sets a device up' }).waitFor()
  const { authority } = dataOf(await admin.client.lan.status())
  await part
    .getByText(authority?.fingerprint ?? 'none')
    .first()
    .waitFor()
  await expectAccessible(page, 'the network in the settings')
})

test('a device that trusts the certificate shows up with a check mark; one that does not is told so', async () => {
  const { page } = await visit(browser, latchkey.url)
  await toNetwork(page)
  await network(page).getByRole('button', { name: 'Set up a device' }).click()
  await network(page).getByText('None has shown up since the last start.').waitFor()

  const trust = `http://${HERE}:${portOf(latchkey)}/trust`
  const stranger = await browser.newContext()
  const strange = await stranger.newPage()
  await strange.goto(trust)
  await strange.getByText('This device does not trust it yet.', { exact: false }).waitFor()
  await expectNoFindings(strange, 'the trust page')

  // What an installed certificate does for a device, this does here.
  const friend = await browser.newContext({ ignoreHTTPSErrors: true })
  const friendly = await friend.newPage()
  await friendly.goto(trust)
  await friendly.getByText('This device reaches Latchkey trusted', { exact: false }).waitFor()
  // Browsers of this machine do not count; a proxy names this one's address.
  const headers = { 'X-Forwarded-For': '192.168.1.23', 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0' }
  const device = {
    address: HERE,
    port: portOf(latchkey),
    ca: await authorityOf(latchkey),
    path: '/trust/check',
    headers,
  }
  expect((await askOverTls(device)).status).toBe(204)
  await network(page).getByText('192.168.1.23', { exact: false }).waitFor()
  await Promise.all([stranger.close(), friend.close()])
})

test('a new authority wants to be meant, and is another', async () => {
  const before = dataOf(await admin.client.lan.status()).authority
  const { page } = await visit(browser, latchkey.url)
  await toNetwork(page)
  const part = network(page)
  await part.getByText('Certificate', { exact: true }).click()
  await part.getByRole('button', { name: 'Make a new authority' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new authority' }).click()
  await expect
    .poll(async () => dataOf(await admin.client.lan.status()).authority?.fingerprint)
    .not.toBe(before?.fingerprint)
})

test('an authority that is damaged is mended on the page, where the notice says so', async () => {
  const sound = await startInNetwork(buildNetwork(at('127.9.1.5')), { config: { lan: true } })
  await buildSuperuser(sound)
  await sound.stop()
  await writeFile(join(sound.directory, 'tls/authority.pem'), 'hello')
  const damaged = await sound.restart()
  onTestFinished(() => damaged.end())
  const { page } = await visit(browser, damaged.url)
  await toNetwork(page)
  const part = network(page)
  const notice = part.getByText('The certificate authority cannot be read.', { exact: false })
  await notice.waitFor()
  await part.getByText('Certificate', { exact: true }).click()
  await part.getByRole('button', { name: 'Make a new authority' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make a new authority' }).click()
  await notice.waitFor({ state: 'detached' })
  expect(damaged.lan().authority).not.toBeNull()
})

test('the name shows up on the page by itself, although it is announced only some time after the switch', async () => {
  const slow = buildNetwork(at('127.9.2.5'))
  slow.answer = () => undefined
  const server = await startInNetwork(slow, { config: { lan: true } })
  onTestFinished(() => server.end())
  await buildSuperuser(server)
  const { page } = await visit(browser, server.url)
  await toNetwork(page)
  await network(page)
    .getByText(`https://127.9.2.5:${portOf(server)}`)
    .waitFor()
  expect(await network(page).getByText('https://latchkey.local', { exact: false }).count()).toBe(0)
  slow.tell({ name: 'latchkey.local' })
  await network(page)
    .getByText(`https://latchkey.local:${portOf(server)}`)
    .waitFor()
})
