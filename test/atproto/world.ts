import type { Browser, Page } from 'playwright-core'
import { type Latchkey, setUp, startLatchkey } from '../browser/latchkey.ts'
import { inConsole, visit, type Visit } from '../browser/visit.ts'
import { launchChromium } from '../helpers/chromium.ts'
import { createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import type { Settings } from '../../api/settings.ts'
import { type Network, startNetwork } from './network.ts'
import { consent } from './provider-pages.ts'

/** Of everybody at the PDS. */
export const PASSWORD = 'correct horse staple'

/** Latchkey as people run it, beside a real PDS, and somebody who administers it. */
export interface World {
  network: Network
  latchkey: Latchkey
  admin: Visitor
  /** A browser of its own, with an address of its own, so that none uses up the pace of another. */
  visit(manners?: Parameters<typeof visit>[2]): Promise<Visit>
  /** Somebody with the account `name.test` at the PDS, which is entered here. */
  enter(name: string): Promise<{ did: string; user_id: number }>
  configure(settings: Partial<Settings>): Promise<void>
  stop(): Promise<void>
}

export async function startWorld(): Promise<World> {
  const [network, browser] = await Promise.all([startNetwork(), launchChromium()])
  const { plcUrl, pdsUrl } = network
  const latchkey = await startLatchkey({
    flags: [
      ...['--atproto-private', '--atproto-plc', plcUrl, '--atproto-resolver', pdsUrl],
      ...['--trusted-proxy', '127.0.0.1'],
    ],
  })
  const admin = await setUp(latchkey)
  return {
    network,
    latchkey,
    admin,
    visit: visitsOf(browser, latchkey.url),
    async enter(name) {
      const { did } = await network.createAccount(`${name}.test`, PASSWORD)
      return { did, user_id: await createUser(admin, { username: name, did }) }
    },
    async configure(settings) {
      dataOf(await admin.client.settings.change({ body: settings }))
    },
    async stop() {
      await Promise.all([browser.close(), latchkey.stop(), network.stop()])
    },
  }
}

function visitsOf(browser: Browser, url: string): World['visit'] {
  let last = 0
  return (manners) => {
    last += 1
    return visit(browser, url, { from: `127.0.100.${last}`, ...manners })
  }
}

/** The sign-in page, on the side of ATProto accounts. */
export async function openAtprotoTab(page: Page, address = '/login'): Promise<void> {
  await page.goto(address)
  await page.getByRole('tab', { name: 'ATProto account' }).click()
}

/** Types a handle, and goes on to its provider. */
export async function leaveByHandle(page: Page, handle: string): Promise<void> {
  await page.getByRole('combobox', { name: 'Handle' }).fill(handle)
  await page.getByRole('button', { name: 'Continue at your provider' }).click()
}

/** Signed in the whole way, from the sign-in page to the console. */
export async function signInByHandle(page: Page, handle: string): Promise<void> {
  await openAtprotoTab(page)
  await leaveByHandle(page, handle)
  await consent(page, { password: PASSWORD })
  await inConsole(page)
}

/** From the account menu to the provider of a further account. */
export async function addAccount(page: Page, username: string, handle: string): Promise<void> {
  await openAccountMenu(page, username)
  await page.getByRole('menuitem', { name: 'Add another account' }).click()
  await page.getByRole('tab', { name: 'ATProto account' }).click()
  await leaveByHandle(page, handle)
}

export async function openAccountMenu(page: Page, username: string): Promise<void> {
  await page.getByRole('button', { name: `Account of ${username}` }).click()
  await page.getByRole('menu').waitFor()
}
