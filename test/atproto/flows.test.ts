// Latchkey beside a real PDS: a person goes through every flow in Chromium, and says no to each once.
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { expectQuiet, fillSignIn, heading, inConsole, keptByBrowser } from '../browser/visit.ts'
import { createUser } from '../helpers/visitor.ts'
import { askedForPassword, consent, deny, denySignUp, signUp } from './provider-pages.ts'
import { codesIn, providerSecretsIn, startTap } from './tap.ts'
import {
  addAccount,
  leaveByHandle,
  openAccountMenu,
  openAtprotoTab,
  PASSWORD as password,
  signInByHandle,
  startWorld,
  type World,
} from './world.ts'

const DENIED = 'You declined at your provider. Nothing was changed.'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

const pathOf = (page: Page) => page.evaluate(() => location.pathname + location.hash)

/** Signed in as this account, whatever else. */
async function isSignedIn(page: Page, username: string): Promise<void> {
  await inConsole(page)
  await page.getByRole('button', { name: `Account of ${username}` }).waitFor()
}

test('sign-in by handle: who declines reads so, who agrees is in the console', async () => {
  await world.enter('bob')
  const person = await world.visit()
  const { page } = person
  await openAtprotoTab(page)
  await leaveByHandle(page, 'bob.test')
  await deny(page)
  expect(await page.getByTestId('refusal').textContent()).toBe(DENIED)
  expect(await pathOf(page)).toBe('/login')
  await leaveByHandle(page, 'bob.test')
  await consent(page, { password })
  await isSignedIn(page, 'bob')
  expect(await pathOf(page)).toBe('/')
  expectQuiet(person)
})

test('account creation: who declines has none, who agrees says what to call him and is in the console', async () => {
  const local = { name: 'The local one', url: world.network.pdsUrl, recommended: true, description: '', info_url: null }
  await world.configure({ atproto_sign_up: 'open', account_creation_enabled: true, atproto_pds_options: [local] })
  onTestFinished(() => world.configure({ atproto_sign_up: 'linked', account_creation_enabled: false }))
  const person = await world.visit()
  const { page } = person
  const begin = async () => {
    await openAtprotoTab(page)
    await page.getByRole('tab', { name: 'Create an account' }).click()
    await page.getByRole('button', { name: 'Create an account at The local one' }).click()
  }
  await begin()
  await denySignUp(page)
  expect(await page.getByTestId('refusal').textContent()).toBe(DENIED)
  await begin()
  await signUp(page, { handle: 'carla.test', email: 'carla@carla.example', password })
  await heading(page, 'What should we call you?')
  expect(await page.getByLabel('User name').inputValue()).toBe('carla')
  await page.getByLabel('Display name').fill('Carla')
  await page.getByRole('button', { name: 'Save and go on' }).click()
  await isSignedIn(page, 'carla')
  expectQuiet(person)
})

test('a further account: declined, one goes on as before; its password is asked anew; one switches and leaves', async () => {
  await world.enter('dora')
  await world.enter('emil')
  const person = await world.visit()
  const { page } = person
  await signInByHandle(page, 'dora.test')

  await addAccount(page, 'dora', 'emil.test')
  await deny(page)
  await page.getByText(DENIED).waitFor()
  await isSignedIn(page, 'dora')
  await addAccount(page, 'dora', 'emil.test')
  await askedForPassword(page)
  await consent(page, { password })
  await isSignedIn(page, 'emil')

  await openAccountMenu(page, 'emil')
  await page.getByRole('menuitem', { name: 'Switch to dora.test' }).click()
  await isSignedIn(page, 'dora')
  await openAccountMenu(page, 'dora')
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await page.getByRole('button', { name: 'Go on as emil.test' }).click()
  await isSignedIn(page, 'emil')
  await openAccountMenu(page, 'emil')
  expect(await page.getByRole('menuitem', { name: /^Switch to/ }).count()).toBe(0)
  expectQuiet(person)
})

test('more scopes: nothing goes on before the provider confirms, nobody is sent in circles, the group stays', async () => {
  await world.enter('fred')
  await createUser(world.admin, { username: 'gina', password: 'plain user kettle' })
  const person = await world.visit()
  const { page } = person
  await signInByHandle(page, 'fred.test')
  await page.request.post('/api/auth/login', {
    data: { username: 'gina', password: 'plain user kettle', add_account: true },
    headers: { Origin: world.latchkey.url },
  })
  await page.request.post('/api/auth/switch-account', {
    data: { target_did: await world.network.resolve('fred.test') },
    headers: { Origin: world.latchkey.url },
  })
  await world.configure({ atproto_scopes: ['atproto', 'transition:generic'] })
  onTestFinished(() => world.configure({ atproto_scopes: ['atproto'] }))
  let departures = 0
  page.on('request', (request) => (departures += Number(request.url().includes('/oauth/authorize?'))))

  await page.goto('/account')
  await heading(page, 'Your provider must confirm again')
  expect(await page.getByRole('listitem').getByText('transition:generic').count()).toBe(1)
  await page.getByRole('button', { name: 'Continue at the provider' }).click()
  await askedForPassword(page)
  await deny(page, { password })
  await heading(page, 'Your provider must confirm again')
  expect(await page.getByTestId('refusal').textContent()).toBe(DENIED)
  expect(departures).toBe(1)
  await page.getByRole('button', { name: 'Continue at the provider' }).click()
  await consent(page, { password })
  await isSignedIn(page, 'fred')
  await openAccountMenu(page, 'fred')
  await page.getByRole('menuitem', { name: 'Switch to gina' }).waitFor()
  expectQuiet(person)
})

test('a developer token by the provider: declined there is none; shown once, it works until it is revoked', async () => {
  await world.enter('hugo')
  const person = await world.visit()
  const { page } = person
  await signInByHandle(page, 'hugo.test')
  const ask = async () => {
    await page.goto('/account')
    await page.getByRole('button', { name: 'New developer token' }).click()
    await page.getByLabel('Name (optional)').fill('backup')
    await page.getByRole('button', { name: 'Go to the provider' }).click()
    await askedForPassword(page)
  }
  const mayCall = async (token: string) =>
    (await fetch(`${world.latchkey.url}/api/auth/me`, { headers: { Authorization: `Bearer ${token}` } })).status

  await ask()
  await deny(page, { password })
  await page.getByText(DENIED).waitFor()
  await isSignedIn(page, 'hugo')
  await ask()
  await consent(page, { password })
  const shown = page.getByRole('dialog', { name: 'Developer token backup' })
  const token = (await shown.getByRole('group').textContent())?.trim() ?? ''
  expect(token).toMatch(/^[\w-]{8}\.[\w-]{43}$/)
  expect(await mayCall(token)).toBe(200)
  await shown.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: 'Close for good' }).click()
  expect((await page.content()) + (await keptByBrowser(page))).not.toContain(token)

  await page.getByRole('button', { name: 'Revoke the developer token backup' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click()
  await page.getByText('The developer token backup was revoked.').waitFor()
  expect(await mayCall(token)).toBe(401)
  expectQuiet(person)
})

test('a local user links an account, and comes in by it; no token of the provider ever reaches the browser', async () => {
  const tap = await startTap()
  onTestFinished(tap.stop)
  await createUser(world.admin, { username: 'ivan', password: 'plain user kettle' })
  await world.network.createAccount('ivan.test', password)
  const person = await world.visit({ proxy: tap.url })
  const { page, context } = person
  await page.goto('/login?returnUrl=/account')
  await fillSignIn(page, 'ivan', 'plain user kettle')
  const link = async () => {
    await page.getByLabel('Handle').fill('ivan.test')
    await page.getByRole('button', { name: 'Link', exact: true }).click()
  }
  await link()
  await deny(page)
  await page.getByText(DENIED).waitFor()
  await page.goto('/account')
  await link()
  await consent(page, { password })
  await page.getByText('The ATProto account is linked.').waitFor()
  await openAccountMenu(page, 'ivan')
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
  await heading(page, 'Sign in')
  await signInByHandle(page, 'ivan.test')
  await page.goto('/account')
  await page.getByRole('button', { name: 'Check now' }).click()
  await page.getByText('The grant still stands.').waitFor()

  const heard = tap.heard(world.latchkey.url)
  const callbacks = heard.filter(({ url }) => new URL(url).pathname === '/api/auth/callback')
  expect(callbacks.filter(({ url }) => codesIn(url).length > 0)).toHaveLength(2)
  expect(heard.flatMap(({ url, text }) => providerSecretsIn(`${url}\n${text}`))).toEqual([])
  expect(
    heard.flatMap(({ url, text }) => codesIn(callbacks.some((one) => one.url === url) ? text : url + text)),
  ).toEqual([])
  const kept = (await keptByBrowser(page)) + JSON.stringify(await context.storageState({ indexedDB: true }))
  expect([...providerSecretsIn(kept), ...codesIn(kept)]).toEqual([])
  expect(await page.evaluate(() => document.cookie)).toBe('')
  expectQuiet(person)
})
