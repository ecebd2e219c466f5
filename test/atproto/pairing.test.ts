import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { type AtprotoWorld, linkedUser, TRUSTING } from '../server/atproto.ts'
import { expectAccessible, expectAccessiblePage } from '../browser/accessible.ts'
import { enterHandle, openAtproto, startHouse } from './page.ts'
import { expectQuiet, heading, keptByBrowser, visit, type Visit } from '../browser/visit.ts'

/** One browser elsewhere on the network, as a proxy on this machine says, and one at the machine itself. */
let browser: Browser
let world: AtprotoWorld
let lastLan = 20

const MINUTE = 60_000

beforeAll(async () => {
  browser = await launchChromium()
  // Plain HTTP, so that Chromium takes the cookies of an address that is only said to be elsewhere.
  world = await startHouse({ ...TRUSTING, insecureHttp: true })
  await linkedUser(world, 'lea.test')
})
beforeEach(() => {
  world.provider.behave({})
  world.server.clock.advance(MINUTE + 1)
})
afterAll(async () => {
  await browser.close()
  await world.end()
})

const fromLan = () => visit(browser, world.server.url, { from: `192.168.1.${(lastLan += 1)}` })
const fromMachine = () => visit(browser, world.server.url)

/** Begins in the browser elsewhere; answers the code that it shows. */
async function begin({ page }: Visit, path = '/login'): Promise<string> {
  await openAtproto(page, path)
  await enterHandle(page, 'lea.test')
  return codeOn(page)
}

async function codeOn(page: Page): Promise<string> {
  const code = page.getByRole('group', { name: 'Code' })
  await code.waitFor()
  return (await code.textContent())?.trim() ?? ''
}

/** Types it at the machine; who waits is shown then, or what is wrong. */
async function type({ page }: Visit, code: string): Promise<void> {
  await page.getByLabel('Code', { exact: true }).fill(code)
  await page.keyboard.press('Enter')
}

test('the code that one browser shows is typed at the machine, which sees who waits; the first goes on by itself', async () => {
  const [lan, machine] = await Promise.all([fromLan(), fromMachine()])
  await openAtproto(lan.page, '/login?returnUrl=/account')
  await lan.page.getByRole('button', { name: 'Show a code' }).waitFor()
  await enterHandle(lan.page, '')
  await lan.page.getByText('Please fill this in.').waitFor()
  await enterHandle(lan.page, 'lea.test')
  const code = await codeOn(lan.page)
  expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
  await lan.page.getByRole('img', { name: /QR code/ }).waitFor()
  await lan.page.getByText(`${world.server.url}/pair`, { exact: true }).waitFor()
  await expectAccessiblePage(lan.page, 'the code of a pairing')

  await machine.page.goto('/pair')
  await heading(machine.page, 'Sign in another device')
  await type(machine, 'nothing')
  await machine.page.getByText('The code has eight characters, such as ABCD-2345.').waitFor()
  await type(machine, 'ZZZZ-ZZZZ')
  await machine.page.getByText('The code is wrong, used up or older than ten minutes.').waitFor()
  await expectAccessiblePage(machine.page, 'entering a code')
  await type(machine, code.toLowerCase().replace('-', ' '))
  await heading(machine.page, 'Is this the device?')
  for (const known of ['lea.test', /Chrom(e|ium) on Linux/, `192.168.1.${lastLan}`])
    await machine.page.getByText(known).first().waitFor()
  await expectAccessiblePage(machine.page, 'who waits with a code')
  let loads = 0
  lan.page.on('load', () => (loads += 1))
  await machine.page.getByRole('button', { name: 'Sign in for it' }).click()
  await heading(machine.page, 'Done')
  expect(await keptByBrowser(machine.page)).not.toContain(code.replace('-', ''))
  expect(await machine.context.cookies()).not.toContainEqual(expect.objectContaining({ name: 'latchkey_session' }))

  await heading(lan.page, 'My account')
  expect([loads, new URL(lan.page.url()).pathname]).toEqual([0, '/account'])
  await lan.page.reload()
  await heading(lan.page, 'My account')
  expectQuiet(lan, machine)
})

test('the address with the code leads straight to who waits; saying no there signs nobody in, nor does giving up', async () => {
  const [lan, machine] = await Promise.all([fromLan(), fromMachine()])
  const code = (await begin(lan)).replace('-', '')
  await machine.page.goto(`/pair#${code}`)
  await heading(machine.page, 'Is this the device?')
  expect(machine.page.url()).toBe(`${world.server.url}/pair`)
  await machine.page.getByRole('button', { name: 'No, do not sign in' }).click()
  await heading(machine.page, 'Nobody was signed in')

  // The browser that waits does not learn of that; its person gives up, and with that the code is void.
  await lan.page.getByRole('button', { name: 'Cancel' }).click()
  await heading(lan.page, 'Sign in')
  await machine.page.goto('/')
  await machine.page.goto('/pair')
  await type(machine, code)
  await machine.page.getByText('The code is wrong, used up or older than ten minutes.').waitFor()
  expectQuiet(lan, machine)
})

test('declined at the provider, both browsers are told; too late, the one that waits is; it begins again with a new code', async () => {
  const [lan, machine] = await Promise.all([fromLan(), fromMachine()])
  const first = await begin(lan)
  world.provider.behave({ deny: true })
  await machine.page.goto(`/pair#${first.replace('-', '')}`)
  await machine.page.getByRole('button', { name: 'Sign in for it' }).click()
  await heading(machine.page, 'That did not work')
  for (const { page } of [machine, lan])
    await page.getByTestId('refusal').getByText('You declined at your provider. Nothing was changed.').waitFor()
  await expectAccessible(machine.page, 'a pairing that was declined')
  await expectAccessible(lan.page, 'a pairing that came to nothing')

  await lan.page.getByRole('button', { name: 'Begin again' }).click()
  const second = await codeOn(lan.page)
  expect(second).not.toBe(first)
  world.server.clock.advance(10 * MINUTE)
  await lan.page.getByTestId('refusal').getByText('The code is wrong, used up or older than ten minutes.').waitFor()
  await machine.page.getByRole('link', { name: 'Type another code' }).click()
  await type(machine, second)
  await machine.page.getByText('The code is wrong, used up or older than ten minutes.').waitFor()

  await lan.page.getByRole('button', { name: 'Begin again' }).click()
  await codeOn(lan.page)
  await lan.page.reload()
  await heading(lan.page, 'Sign in')
  expectQuiet(lan, machine)
})

test('a browser elsewhere cannot enter codes', async () => {
  const lan = await fromLan()
  await lan.page.goto('/pair')
  await type(lan, 'ABCD-2345')
  await lan.page.getByTestId('refusal').getByText('Codes can only be entered at the machine').waitFor()
})
