import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectQuiet, heading, signIn, visit } from './visit.ts'

const INSIDE = '10.1.2.3'
const OUTSIDE = '192.0.2.7'

let browser: Browser
let latchkey: TestServer
let admin: Visitor

beforeAll(async () => {
  browser = await launchChromium()
  const config = { trustedProxies: ['127.0.0.1'], insecureHttp: true }
  latchkey = await startTestServer({ clock: buildClock(Date.now()), config })
  admin = await buildSuperuser(latchkey)
})
beforeEach(async () => {
  dataOf(await admin.client.settings.change({ body: { admin_networks: [] } }))
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

const networks = async () => dataOf(await admin.client.settings.read()).admin_networks
const section = (page: Page) => page.getByRole('region', { name: 'Where administration is allowed', exact: true })

test('networks are named line by line, with the own address at hand, and nobody shuts himself out', async () => {
  const inside = await visit(browser, latchkey.url, { from: INSIDE })
  const { page } = inside
  await signIn(page)
  await page.getByRole('link', { name: 'Settings' }).click()
  const part = section(page)
  await part.getByText(`You are at ${INSIDE}.`).waitFor()
  const field = part.getByLabel('Allowed networks, one per line')
  const save = part.getByRole('button', { name: 'Save' })

  await field.fill('10.1.0.0/16\nat home')
  await save.click()
  await part.getByText('“at home” is not an address or a range of addresses.').waitFor()
  await field.fill('192.168.0.0/16')
  await save.click()
  await part.getByText('your own address is in none of them', { exact: false }).waitFor()
  expect(await networks()).toEqual([])
  await field.fill('192.168.0.9/16\n10.1.2.3/8\n')
  await save.click()
  await part.getByText('Saved.').waitFor()
  expect(await networks()).toEqual(['192.168.0.0/16', '10.0.0.0/8'])
  await expect.poll(() => field.inputValue()).toBe('192.168.0.0/16\n10.0.0.0/8')
  expectQuiet(inside)
})

test('from elsewhere the console is the person’s own, and says why; while he looks, too', async () => {
  const outside = await visit(browser, latchkey.url, { from: OUTSIDE })
  const { page } = outside
  await signIn(page, undefined, undefined, '/users')
  await heading(page, 'Users')
  dataOf(await admin.client.settings.change({ body: { admin_networks: ['10.0.0.0/8'] } }))
  await page.getByRole('searchbox').or(page.getByLabel('Search')).first().fill('ann')
  await heading(page, 'Not from this network')
  expect(await page.getByRole('link', { name: 'Users' }).count()).toBe(0)
  await page.reload()
  await heading(page, 'Not from this network')
  await page.getByRole('link', { name: 'To the overview' }).click()
  await page.getByText(`your address, ${OUTSIDE}, is in none of them`, { exact: false }).waitFor()
  await page.getByRole('link', { name: 'My account' }).click()
  await heading(page, 'Password')

  dataOf(await admin.client.settings.change({ body: { admin_networks: [] } }))
  await page.reload()
  await page.getByRole('link', { name: 'Users' }).waitFor()
  expectQuiet(outside)
})

test('the last proven way in is told on the overview, and by name where it would be taken', async () => {
  await createUser(admin, { username: 'second', superuser: true, password: 'plain user kettle' })
  const here = await visit(browser, latchkey.url)
  const { page } = here
  await signIn(page)
  await page
    .getByText('The password of ann is the only proven way in for an administrator.', { exact: false })
    .waitFor()

  const other = await visit(browser, latchkey.url)
  const { token } = dataOf(await admin.client.loginTokens.create({ body: { login_user_id: 2, expires_in: 60 } }))
  const { origin } = new URL(latchkey.url)
  const data = { login_type: 'login_token', login_token: token }
  await other.page.request.post('/api/auth/login', { data, headers: { Origin: origin } })
  await other.page.goto('/users')
  await other.page.getByRole('button', { name: 'Actions for ann' }).click()
  await other.page.getByRole('menuitem', { name: 'Disable' }).click()
  const dialog = other.page.getByRole('dialog')
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await dialog.getByRole('alert').getByText('The password of ann is the last proven way in', { exact: false }).waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()

  await signIn(await visit(browser, latchkey.url).then((one) => one.page), 'second', 'plain user kettle')
  await page.reload()
  await heading(page, 'Two-step sign-in')
  await expect.poll(() => page.getByText('is the only proven way in', { exact: false }).count()).toBe(0)
  expectQuiet(here, other)
})
