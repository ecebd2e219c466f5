import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { dataOf } from '../helpers/visitor.ts'
import { type AtprotoWorld, linkedUser } from '../server/atproto.ts'
import { expectAccessible, expectAccessiblePage, expectNoFindings } from '../browser/accessible.ts'
import { arriveAs, startHouse } from './page.ts'
import { openUsers } from '../browser/users-page.ts'
import { expectQuiet, heading, keptByBrowser, signIn, signInAt, visit } from '../browser/visit.ts'

let browser: Browser
let world: AtprotoWorld

const MINUTE = 60_000
const PASSWORD = 'wooden quiet lamp'

beforeAll(async () => {
  browser = await launchChromium()
  world = await startHouse()
  await linkedUser(world, 'dora.test', { password: PASSWORD })
  world.provider.addAccount({ handle: 'eve.test' })
})
beforeEach(() => world.server.clock.advance(MINUTE + 1))
afterAll(async () => {
  await browser.close()
  await world.end()
})

const part = (page: Page) => page.getByRole('region', { name: 'Developer tokens', exact: true })
const shown = (page: Page, name: string) => page.getByRole('dialog', { name: `Developer token ${name}` })

async function fill(page: Page, name: string) {
  await part(page).getByRole('button', { name: 'New developer token' }).click()
  const dialog = page.getByRole('dialog', { name: 'New developer token' })
  await dialog.getByLabel(/^Name/).fill(name)
  return dialog
}

async function readToken(page: Page, name: string): Promise<string> {
  const token = await shown(page, name).getByRole('group').textContent()
  expect(token).toMatch(/^[\w-]{8}\.[\w-]{43}$/)
  return token ?? ''
}

/** What a program with this developer token is answered. */
async function useBy(token: string): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` }
  return (await fetch(`${world.server.url}/api/auth/me`, { headers })).status
}

test('one of this server: who is there is asked again, it is shown once, works, and stops when it is revoked', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await signIn(page, 'dora', PASSWORD, '/account')
  world.server.clock.advance(16 * MINUTE)
  const dialog = await fill(page, 'build')
  expect(await dialog.getByText('Who grants it').count()).toBe(0)
  await dialog.getByText('Other', { exact: true }).click()
  await dialog.getByRole('textbox', { name: 'Days' }).fill('400')
  await page.keyboard.press('Enter')
  await dialog.getByText('Enter a whole number, from 1 to 365.').waitFor()
  await dialog.getByRole('textbox', { name: 'Days' }).fill('10')
  await expectAccessible(page, 'new developer token')
  await page.keyboard.press('Enter')
  const again = page.getByRole('dialog', { name: 'Is it still you?' })
  await again.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')

  const token = await readToken(page, 'build')
  await expectAccessible(page, 'a developer token, shown once')
  expect(await useBy(token)).toBe(200)
  await shown(page, 'build').getByRole('button', { name: 'Close' }).click()
  await page.getByRole('dialog', { name: /kept/ }).getByRole('button', { name: 'Close for good' }).click()
  const revoke = part(page).getByRole('button', { name: 'Revoke the developer token build' })
  await revoke.waitFor()
  await expectAccessiblePage(page, 'account with developer tokens')
  await page.reload()
  await revoke.waitFor()
  expect(await page.content()).not.toContain(token)
  expect(await keptByBrowser(page)).not.toContain(token.slice(9))

  await revoke.click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByText('The developer token build was revoked.').waitFor()
  await part(page).getByText('No program acts in your name.').waitFor()
  expect(await useBy(token)).toBe(401)
  expectQuiet(person)
})

test('one that the provider grants: by way of the provider and back, shown once, the session the same', async () => {
  const person = await visit(browser, world.server.url)
  const { page, context } = person
  page.on('dialog', (question) => void question.accept())
  await arriveAs(page, 'dora.test', '/account')
  const session = async () => (await context.cookies()).find(({ name }) => name === 'latchkey_session')?.value
  const before = await session()
  const dialog = await fill(page, 'mail')
  expect(await dialog.getByRole('radio', { name: 'Your ATProto provider' }).isChecked()).toBe(true)
  await page.route('**/developer-token/start', async (route) => {
    await expectNoFindings(page, 'on the way to the provider').finally(() => route.continue())
  })
  await dialog.getByRole('button', { name: 'Go to the provider' }).click()
  const token = await readToken(page, 'mail')
  expect(new URL(page.url()).pathname).toBe('/account')
  expect(await session()).toBe(before)
  expect(await useBy(token)).toBe(200)
  await page.reload()
  await part(page).getByText('granted by your provider').waitFor()
  expect(await page.getByRole('dialog').count()).toBe(0)
  expect(await keptByBrowser(page)).not.toContain(token.slice(9))

  world.provider.behave({ deny: true })
  await (await fill(page, 'never')).getByRole('button', { name: 'Go to the provider' }).click()
  await page.getByText('You declined at your provider. Nothing was changed.').waitFor()
  world.provider.behave({})
  expectQuiet(person)
})

test('the settings of ATProto sign-in are saved as they are chosen', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await signInAt(page, '/settings')
  const panel = page.getByRole('region', { name: 'ATProto sign-in', exact: true })
  const creation = panel.getByLabel('New ATProto accounts can be made from the sign-in page')
  expect(await creation.isDisabled()).toBe(true)
  await panel.getByRole('radio', { name: 'Everybody who has an ATProto account' }).check()
  await creation.check()
  await panel.getByLabel('Permission (scope)').fill('transition:generic')
  await page.keyboard.press('Enter')
  await panel.getByRole('button', { name: 'Add a provider' }).click()
  await panel.getByLabel('Name', { exact: true }).fill('House')
  await panel.getByLabel('Address', { exact: true }).fill('not an address')
  await panel.getByRole('button', { name: 'Save' }).click()
  await panel.getByText('Some of the providers are not complete yet.').waitFor()
  await expectAccessiblePage(page, 'settings of ATProto sign-in with faults')
  await panel.getByLabel('Address', { exact: true }).fill('https://pds.house.test/')
  await panel.getByRole('button', { name: 'Move House up' }).click()
  await panel.getByRole('button', { name: 'Save' }).click()
  await panel.getByText('Saved.').waitFor()
  const { admin } = world
  const { atproto_pds_options: options, ...saved } = dataOf(await admin.client.settings.read())
  expect(options.map(({ name, url }) => [name, url])).toEqual([
    ['House', 'https://pds.house.test'],
    ['Bluesky', 'https://bsky.social'],
  ])
  expect(saved).toMatchObject({
    atproto_sign_up: 'open',
    account_creation_enabled: true,
    atproto_scopes: ['atproto', 'transition:generic'],
  })
  await panel.getByRole('radio', { name: 'Linked accounts only' }).check()
  await panel.getByRole('button', { name: 'Remove: transition:generic' }).click()
  await panel.getByRole('button', { name: 'Save' }).click()
  await expect
    .poll(async () => dataOf(await admin.client.settings.read()))
    .toMatchObject({ atproto_sign_up: 'linked', account_creation_enabled: false, atproto_scopes: ['atproto'] })
  expectQuiet(person)
})

test("a user's account is looked up by its handle, and kept by its DID", async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await signInAt(page, '/')
  await openUsers(page)
  await page.getByRole('button', { name: 'New user' }).click()
  const dialog = page.getByRole('dialog')
  const field = dialog.getByLabel('ATProto account')
  await dialog.getByLabel('User name').fill('eve')
  await field.fill('nobody.test')
  await dialog.getByRole('button', { name: 'Look up' }).click()
  await dialog.getByText('No account was found under this handle. Check the spelling.').last().waitFor()
  await field.fill('@eve.test')
  await field.press('Enter')
  await dialog.getByText('This is @eve.test.').waitFor()
  expect(await field.inputValue()).toBe(world.provider.account('eve.test')?.did)
  await expectAccessible(page, 'a user with an ATProto account')
  await dialog.getByRole('button', { name: 'New user', exact: true }).click()
  await dialog.waitFor({ state: 'hidden' })

  const eve = await visit(browser, world.server.url)
  await arriveAs(eve.page, 'eve.test')
  await heading(eve.page, 'Hello, eve')
  expectQuiet(person, eve)
})
