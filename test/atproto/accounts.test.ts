import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { type AtprotoWorld, linkedUser } from '../server/atproto.ts'
import { expectAccessible, expectAccessiblePage } from '../browser/accessible.ts'
import { addAs, arriveAs, enterHandle, openAccountMenu, startHouse } from './page.ts'
import { expectQuiet, heading, visit } from '../browser/visit.ts'

/** Two accounts in one browser, and one whose provider has ended the grant. */
let browser: Browser
let world: AtprotoWorld

beforeAll(async () => {
  browser = await launchChromium()
  world = await startHouse()
  await linkedUser(world, 'ida.test')
  await linkedUser(world, 'jan.test')
})
beforeEach(() => {
  world.provider.behave({})
  world.server.clock.advance(61_000)
})
afterAll(async () => {
  await browser.close()
  await world.end()
})

/** Signed in as both; Jan came last. */
async function both(): Promise<{ page: Page; context: Awaited<ReturnType<typeof visit>>['context'] }> {
  const { page, context } = await visit(browser, world.server.url)
  await arriveAs(page, 'ida.test')
  await addAs(page, 'jan.test')
  return { page, context }
}

async function askToLeave(page: Page) {
  await (await openAccountMenu(page)).getByRole('menuitem', { name: 'Sign out' }).click()
  return page.getByRole('dialog', { name: 'Sign out of jan.test' })
}

test('another account joins by its handle, is switched to and from, and a reload changes nothing', async () => {
  const person = await visit(browser, world.server.url)
  const { page } = person
  await arriveAs(page, 'ida.test')
  await (await openAccountMenu(page)).getByRole('menuitem', { name: 'Add another account' }).click()
  await page.getByRole('tab', { name: 'ATProto account' }).click()
  await enterHandle(page, 'ida.test')
  await page.getByTestId('refusal').getByText('This account is already linked or signed in here.').waitFor()
  await enterHandle(page, 'jan.test')
  await heading(page, 'Hello, jan')
  await page.reload()
  await heading(page, 'Hello, jan')
  await (await openAccountMenu(page)).getByRole('menuitem', { name: 'Switch to ida.test' }).click()
  await heading(page, 'Hello, ida')
  await page.reload()
  const menu = await openAccountMenu(page)
  await menu.getByRole('menuitem', { name: 'Switch to jan.test' }).waitFor()
  await heading(page, 'Hello, ida')
  await expectAccessible(page, 'account menu with another account')
  expectQuiet(person)
})

test('signing out goes on as the other, or as nobody, or signs both out', async () => {
  const first = await both()
  const dialog = await askToLeave(first.page)
  await dialog.waitFor()
  await expectAccessible(first.page, 'signing out of one of two')
  await dialog.getByRole('button', { name: 'Go on as ida.test' }).click()
  await heading(first.page, 'Hello, ida')
  await (await openAccountMenu(first.page)).getByRole('menuitem', { name: 'Sign out' }).click()
  await heading(first.page, 'Sign in')

  const second = await both()
  await (
    await askToLeave(second.page)
  )
    .getByRole('button', { name: 'Sign out of jan.test and go on as nobody' })
    .click()
  await heading(second.page, 'Sign in')
  await second.page.reload()
  await heading(second.page, 'Sign in')

  const third = await both()
  const other = await third.context.newPage()
  await other.goto('/account')
  await heading(other, 'My account')
  await (await askToLeave(third.page)).getByRole('button', { name: 'Sign out of all accounts' }).click()
  await heading(third.page, 'Sign in')
  await heading(other, 'Sign in')
})

test('a grant that its provider has ended is shown, and waits for the person: no loop, a way round, and a way back', async () => {
  const { page } = await both()
  await page.goto('/account')
  const part = page.getByRole('region', { name: 'ATProto account', exact: true })
  await part.getByText('live', { exact: true }).waitFor()
  await expectAccessiblePage(page, 'account with a grant')
  world.server.clock.advance(11_000)
  await part.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('The grant still stands.').waitFor()

  world.server.clock.advance(11_000)
  world.provider.behave({ refreshInvalid: true })
  await part.getByRole('button', { name: 'Check now' }).click()
  await part.getByText('needs sign-in', { exact: true }).waitFor()
  await page.reload()
  await heading(page, 'Your provider must confirm again')
  await page.getByText('needs sign-in', { exact: true }).first().waitFor()
  await expectAccessiblePage(page, 'provider must confirm')
  await expectStill(page)

  await page.getByRole('button', { name: 'Go on as ida.test' }).click()
  await page.getByRole('button', { name: 'Account of ida' }).waitFor()
  await heading(page, 'My account')
  const menu = await openAccountMenu(page)
  await menu.getByText('needs sign-in', { exact: true }).waitFor()
  await expectAccessible(page, 'account menu with one that needs a sign-in')
  await menu.getByRole('menuitem', { name: /^Switch to jan\.test/ }).click()
  await heading(page, 'Your provider must confirm again')

  world.provider.behave({ deny: true })
  await page.getByRole('button', { name: 'Continue at the provider' }).click()
  await page.getByTestId('refusal').getByText('You declined at your provider.').waitFor()
  await heading(page, 'Your provider must confirm again')
  await expectStill(page)
  world.provider.behave({})
  await page.getByRole('button', { name: 'Continue at the provider' }).click()
  await page.getByText('Your provider has confirmed.').waitFor()
  await page.goto('/account')
  await part.getByText('live', { exact: true }).waitFor()
})

/** Nothing is asked of anybody, and nobody is sent anywhere, while the person looks on. */
async function expectStill(page: Page): Promise<void> {
  const asked: string[] = []
  const note = (request: { url(): string }) => asked.push(new URL(request.url()).pathname)
  await page.waitForLoadState('networkidle')
  page.on('request', note)
  await page.waitForTimeout(2_000)
  page.off('request', note)
  expect(asked).toEqual([])
}
