import type { Locator, Page } from 'playwright-core'
import { buildClock, type TestServerOptions } from '../helpers/server.ts'
import { type AtprotoWorld, startWorld } from '../server/atproto.ts'
import { heading, inConsole } from '../browser/visit.ts'

/** What people do with ATProto accounts. The provider is the one of the tests: it agrees at once and has no pages. */

/** A server with the provider's accounts; its clock begins with the browser's, so that times read alike. */
export function startHouse(config: TestServerOptions['config'] = {}): Promise<AtprotoWorld> {
  return startWorld({ clock: buildClock(Date.now()), config })
}

/** The tab of the sign-in page, whose address this is. */
export async function openAtproto(page: Page, path = '/login'): Promise<void> {
  await page.goto(path)
  await page.getByRole('tab', { name: 'ATProto account' }).click()
  await handleField(page).waitFor()
}

export function handleField(page: Page): Locator {
  return page.getByRole('combobox', { name: 'Handle' })
}

export async function enterHandle(page: Page, handle: string): Promise<void> {
  await handleField(page).fill(handle)
  await handleField(page).press('Enter')
}

/** Signed in by handle, without the form: that way has tests of its own, and takes longer. */
export async function arriveAs(page: Page, handle: string, path = '/'): Promise<void> {
  await page.goto(`/api/auth/start?${new URLSearchParams({ handle, return_to: path }).toString()}`)
  await inConsole(page)
}

/** A further account in this browser, likewise; it is the one that goes on. */
export async function addAs(page: Page, handle: string): Promise<void> {
  const { origin } = new URL(page.url())
  const answer = await page.request.post('/api/auth/add-account/start', {
    data: { handle },
    headers: { Origin: origin },
  })
  if (!answer.ok()) throw new Error(`No account was added: ${await answer.text()}`)
  await page.goto((await answer.json()).data.auth_url)
  await heading(page, `Hello, ${handle.replace('.test', '')}`)
}

export async function openAccountMenu(page: Page): Promise<Locator> {
  await page.getByRole('button', { name: /Account of/ }).click()
  return page.getByRole('menu', { name: /Account of/ })
}
