import type { Browser, BrowserContext, Page } from 'playwright-core'
import { expect, onTestFinished } from 'vitest'
import { ADMIN } from '../helpers/visitor.ts'

/** One person's browser, for one test: a context of its own, one page, and what that page complained about. */
export interface Visit {
  context: BrowserContext
  page: Page
  /** Console errors, uncaught exceptions and violations of the content security policy. */
  complaints: string[]
}

interface Manners {
  scheme?: 'light' | 'dark'
  width?: number
  locale?: string
  /** The address that a trusted proxy names as the browser's own. */
  from?: string
  /** A proxy that everything goes through. */
  proxy?: string
}

/** The browser itself logs every refused request; refusals are part of the interface and no fault of the page. */
const REFUSAL = /^Failed to load resource: (the server responded with a status of 4|net::ERR_CONNECTION)/

export async function visit(browser: Browser, url: string, manners: Manners = {}): Promise<Visit> {
  const { scheme = 'light', width = 1280, locale = 'en-GB', from, proxy } = manners
  const context = await browser.newContext({
    baseURL: url,
    colorScheme: scheme,
    locale,
    viewport: { width, height: 844 },
    reducedMotion: 'reduce',
    ...(proxy === undefined ? {} : { proxy: { server: proxy } }),
    ...(from === undefined ? {} : { extraHTTPHeaders: { 'X-Forwarded-For': from } }),
  })
  onTestFinished(() => context.close())
  context.setDefaultTimeout(20_000)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !REFUSAL.test(message.text())) complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { context, page, complaints }
}

export async function fillSignIn(page: Page, username: string, password: string): Promise<void> {
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/**
 * On a page of the console, signed in over the wire: the way through the form has tests of its own, and takes longer.
 * `path`: where to begin.
 */
export async function signIn(
  page: Page,
  username: string = ADMIN.username,
  password: string = ADMIN.password,
  path = '/',
): Promise<void> {
  const { origin } = new URL((await page.request.get('/api/health')).url())
  const data = { username, password }
  const answer = await page.request.post('/api/auth/login', { data, headers: { Origin: origin } })
  if (!answer.ok()) throw new Error(`Sign-in was refused: ${await answer.text()}`)
  await page.goto(path)
  await inConsole(page)
}

/** The same as the superuser, beginning at this page. */
export function signInAt(page: Page, path: string): Promise<void> {
  return signIn(page, ADMIN.username, ADMIN.password, path)
}

/** Waits until the console is there. */
export async function inConsole(page: Page): Promise<void> {
  await page.getByRole('navigation', { name: 'Main navigation' }).waitFor()
}

export async function heading(page: Page, name: string | RegExp): Promise<void> {
  await page.getByRole('heading', { name }).first().waitFor()
}

/** Everything the browser keeps that outlives or leaves the page. */
export async function keptByBrowser(page: Page): Promise<string> {
  const kept = await page.evaluate(() =>
    JSON.stringify([{ ...localStorage }, { ...sessionStorage }, history.state, document.cookie]),
  )
  return `${kept} ${page.url()}`
}

export function expectQuiet(...visits: Visit[]): void {
  expect(visits.flatMap(({ complaints }) => complaints)).toEqual([])
}
