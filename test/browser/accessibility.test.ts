import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { launchChromium } from '../helpers/chromium.ts'
import { createUser } from '../helpers/visitor.ts'
import { expectAccessible, expectAccessiblePage, LOOKS } from './accessible.ts'
import { type Latchkey, setUp, startLatchkey } from './latchkey.ts'
import { chooseAct, openMenu, openUsers, resetPassword } from './users-page.ts'
import { expectQuiet, fillSignIn, heading, signIn, visit } from './visit.ts'

let browser: Browser
let fresh: Latchkey
let latchkey: Latchkey

beforeAll(async () => {
  browser = await launchChromium()
  fresh = await startLatchkey()
  latchkey = await startLatchkey({ startupToken: true })
  const admin = await setUp(latchkey)
  await createUser(admin, {
    username: 'gail',
    password: 'Temporary-1234',
    require_password_change: true,
    expires_hours: 24,
  })
  await createUser(admin, { username: 'nils', enabled: false, email: 'nils@example.org' })
  await createUser(admin, { username: 'olga', password: 'olga keeps a lantern' })
})
afterAll(async () => {
  await browser.close()
  await Promise.all([fresh.stop(), latchkey.stop()])
})

describe.each(LOOKS)('%s at %i', (scheme, width) => {
  test('set-up and sign-in stages', async () => {
    const person = await visit(browser, fresh.url, { scheme, width })
    await person.page.goto('/setup')
    await heading(person.page, 'Welcome to Latchkey')
    await expectAccessiblePage(person.page, 'set-up')

    const guest = await visit(browser, latchkey.url, { scheme, width })
    const { page } = guest
    await page.goto('/login')
    await heading(page, 'Sign in')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expectAccessiblePage(page, 'account stage')
    await page.getByRole('button', { name: 'Use a startup token' }).click()
    await heading(page, 'Sign in with a startup token')
    await expectAccessible(page, 'startup token stage')
    await page.goto('/login')
    await fillSignIn(page, 'gail', 'Temporary-1234')
    await heading(page, 'Choose your own password')
    await page.getByLabel('New password', { exact: true }).fill('abc')
    await page.getByLabel('New password, once more').fill('xyz')
    await expectAccessiblePage(page, 'change stage')
    expectQuiet(person, guest)
  })

  test('overview, account menu and account', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page)
    await page
      .getByText('1 open session')
      .or(page.getByText(/\d+ open sessions/))
      .waitFor()
    await expectAccessiblePage(page, 'overview')
    await page.getByRole('button', { name: /Account of/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
    await expectAccessible(page, 'account menu')
    await page.keyboard.press('Escape')
    await page.getByRole('link', { name: 'My account' }).click()
    await page.getByText('This browser').waitFor()
    await expectAccessiblePage(page, 'account')
    expectQuiet(person)
  })

  test('enrolment', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page)
    await page.getByRole('link', { name: 'Switch on' }).click()
    await page
      .getByRole('dialog')
      .getByRole('img', { name: /QR code/ })
      .waitFor()
    await expectAccessible(page, 'enrolment')
    expectQuiet(person)
  })

  test('users and not found', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page)
    await page.getByRole('link', { name: 'Users' }).click()
    await page.getByText('4 users').waitFor()
    await expectAccessiblePage(page, 'users')
    await page.getByRole('button', { name: 'New user' }).click()
    await page.getByRole('button', { name: 'Generate' }).click()
    await expectAccessible(page, 'new user')
    await page.goto('/no/such/page')
    await heading(page, 'Nothing here')
    await expectAccessiblePage(page, 'not found')
    expectQuiet(person)
  })

  test('what is done with one user', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page)
    await openUsers(page)
    await openMenu(page, 'olga')
    await expectAccessible(page, 'menu of a user')
    await page.keyboard.press('Escape')
    for (const act of ['Reset password', 'Sessions', 'Disable', 'Delete']) {
      const dialog = await chooseAct(page, 'olga', act)
      await dialog.waitFor()
      await expectAccessible(page, act)
      await page.keyboard.press('Escape')
      await dialog.waitFor({ state: 'hidden' })
    }
    await page.getByRole('button', { name: 'Edit olga' }).click()
    await page.getByRole('combobox', { name: /Manager/ }).fill('gai')
    await page.getByRole('option', { name: 'gail' }).waitFor()
    await expectAccessible(page, 'choosing a manager')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await resetPassword(page, 'olga', () => expectAccessible(page, 'the password, shown once'))
    expectQuiet(person)
  })

  test('what is done with many users', async () => {
    const person = await visit(browser, latchkey.url, { scheme, width })
    const { page } = person
    await signIn(page)
    await openUsers(page)
    await page.getByLabel('Select olga').check()
    await page.getByLabel('Select ann').check()
    await expectAccessible(page, 'selection')
    const dialog = page.getByRole('dialog')
    for (const [act, sheet] of [
      ['Reset passwords', 'table'],
      ['Make login tokens', 'article'],
    ] as const) {
      await page.getByLabel('Select olga').check()
      await page.getByRole('button', { name: act }).click()
      await dialog.waitFor()
      await expectAccessible(page, act)
      await dialog.getByRole('button', { name: act }).click()
      await dialog.getByRole(sheet).first().waitFor()
      await expectAccessible(page, `${act}: result`)
      await page.keyboard.press('Escape')
      const question = page.getByRole('dialog', { name: /handed over/ })
      await question.waitFor()
      await expectAccessible(page, `${act}: leaving`)
      await question.getByRole('button', { name: 'Close for good' }).click()
      await dialog.first().waitFor({ state: 'hidden' })
    }
    expectQuiet(person)
  })
})
