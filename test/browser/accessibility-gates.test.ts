import { Secret, TOTP } from 'otpauth'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { buildClock, startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser, createUser, dataOf, type Visitor } from '../helpers/visitor.ts'
import { expectAccessible, expectAccessiblePage, LOOKS } from './accessible.ts'
import { expectQuiet, fillSignIn, heading, signIn, visit } from './visit.ts'

/** The settings, the ways in by link and by enrolment, import and export: in both widths and appearances. */
let browser: Browser
let latchkey: TestServer
let admin: Visitor

const PASSWORD = 'plain user kettle'

beforeAll(async () => {
  browser = await launchChromium()
  latchkey = await startTestServer({ clock: buildClock(Date.now()) })
  admin = await buildSuperuser(latchkey)
  const { secret } = dataOf(await admin.client.auth.totpSetup())
  dataOf(await admin.client.auth.totpConfirm({ body: { code: codeFor(secret) } }))
  const permissions = ['USER_CONFIG' as const, 'SETTINGS' as const]
  await createUser(admin, { username: 'sela', password: PASSWORD, permissions })
})
afterAll(async () => {
  await browser.close()
  await latchkey.end()
})

function codeFor(secret: string): string {
  return new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: latchkey.clock() })
}

describe.each(LOOKS)('%s at %i', (scheme, width) => {
  test('settings', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page, 'sela', PASSWORD)
    await page.getByRole('link', { name: 'Settings' }).click()
    await heading(page, 'Temporary passwords')
    await expectAccessiblePage(page, 'settings')
    await page.getByLabel('Shortest length').fill('3')
    await page.getByLabel('Allowed addresses').fill('nonsense')
    await page.getByRole('radio', { name: 'Everybody', exact: true }).check()
    for (const name of ['Passwords', 'Where login tokens may lead']) {
      await page.getByRole('region', { name, exact: true }).getByRole('button', { name: 'Save' }).click()
    }
    await page.getByText(/“nonsense” is not an address/).waitFor()
    await expectAccessiblePage(page, 'settings with faults')
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByRole('dialog', { name: 'Leave without saving?' }).waitFor()
    await expectAccessible(page, 'leaving unsaved settings')
    expectQuiet(person)
  })

  test('a link that signs in', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await page.goto('/login/token')
    await heading(page, 'This link is incomplete')
    await expectAccessiblePage(page, 'incomplete link')
    await signIn(page, 'sela', PASSWORD)
    await page.goto('/login/token#no-such-secret')
    await page.getByText('You are signed in here as sela.').waitFor()
    await expectAccessiblePage(page, 'link')
    await page.getByRole('button', { name: 'Continue', exact: true }).click()
    await page.getByTestId('refusal').waitFor()
    await expectAccessible(page, 'refused link')
    expectQuiet(person)
  })

  test('the enrolment that is demanded', async () => {
    const username = `enrol-${scheme}`
    await createUser(admin, { username, password: PASSWORD })
    dataOf(await admin.client.settings.change({ body: { mfa_demand: 'everybody' } }))
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await page.goto('/login')
    await fillSignIn(page, username, PASSWORD)
    await page.getByRole('img', { name: /QR code/ }).waitFor()
    await expectAccessiblePage(page, 'enrolment stage')
    const secret = ((await page.getByRole('group', { name: 'Key' }).textContent()) ?? '').replaceAll(' ', '').trim()
    await page.getByLabel('Code', { exact: true }).fill(codeFor(secret))
    await page.keyboard.press('Enter')
    await heading(page, 'Your recovery codes')
    await expectAccessiblePage(page, 'recovery codes stage')
    dataOf(await admin.client.settings.change({ body: { mfa_demand: 'nobody' } }))
    expectQuiet(person)
  })

  test('import and export', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page, 'sela', PASSWORD)
    await page.getByRole('link', { name: 'Users' }).click()
    const menu = page.getByRole('button', { name: 'Import and export' })
    await menu.click()
    await page.getByRole('menuitem', { name: 'Import' }).waitFor()
    await expectAccessible(page, 'menu of import and export')
    await page.route(/\/users\?.*limit=200/, () => undefined)
    await page.getByRole('menuitem', { name: 'Export' }).click()
    await page.getByRole('dialog').getByText('as a CSV file').waitFor()
    await expectAccessible(page, 'export')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').waitFor({ state: 'hidden' })

    await menu.click()
    await page.getByRole('menuitem', { name: 'Import' }).click()
    const dialog = page.getByRole('dialog', { name: 'Import users' })
    const give = (text: string) =>
      dialog
        .locator('input[type=file]')
        .setInputFiles({ name: 'p.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
    await give('password\n')
    await dialog.getByText(/Passwords do not travel/).waitFor()
    await expectAccessible(page, 'import, file refused')
    await give(`username,display_name,phone\n${'No Name,x\n'.repeat(20)}in-${scheme},Somebody,1\n`)
    await dialog.getByText('1 line is sound.').waitFor()
    await expectAccessiblePage(page, 'import preview')
    await dialog.getByRole('button', { name: /^Skip faulty/ }).click()
    await dialog.getByText(/1 user was imported/).waitFor()
    await expectAccessible(page, 'import result')
    expectQuiet(person)
  })
})
