// The PDS's own pages, as a person goes through them, in English (Chromium's language when no other is asked for).
// Each ends when the browser has left the PDS.
import type { Locator, Page } from 'playwright-core'

/** Signs in if the PDS asks for it, and agrees. */
export async function consent(page: Page, { password }: { password: string }): Promise<void> {
  await signIn(page, password)
  await leave(page, button(page, 'Authorize'))
}

/** Waits until the PDS asks for the password. One that was told to remember this browser asks no public client's person. */
export async function askedForPassword(page: Page): Promise<void> {
  await arrived(page)
  await page.getByRole('textbox', { name: 'Password' }).waitFor()
}

/** Says no: on the sign-in page, or, given the password, on the page that says what is asked for. */
export async function deny(page: Page, { password }: { password?: string } = {}): Promise<void> {
  await arrived(page)
  if (password !== undefined) await signIn(page, password)
  await leave(page, button(page, 'Deny access').or(button(page, 'Cancel')))
}

/** Makes no account after all. */
export async function denySignUp(page: Page): Promise<void> {
  await arrived(page)
  await button(page, 'Back').click()
  await leave(page, button(page, 'Cancel'))
}

/** Makes an account (`handle` in full: `ann.test`) and agrees. */
export async function signUp(
  page: Page,
  { handle, email, password }: { handle: string; email: string; password: string },
): Promise<void> {
  await arrived(page)
  await page.getByRole('textbox', { name: 'Type your username' }).fill(handle.replace(/\..*/, ''))
  await button(page, 'Next').click()
  await page.getByRole('textbox', { name: 'Email' }).fill(email)
  await page.getByRole('textbox', { name: 'Password' }).fill(password)
  await button(page, 'Sign up').click()
  await leave(page, button(page, 'Authorize'))
}

/** What the PDS asks the person to agree to, line by line. */
export async function scopesAsked(page: Page, password: string): Promise<string[]> {
  await signIn(page, password)
  return await page.getByRole('listitem').getByRole('heading').allInnerTexts()
}

/** Answers when the consent page stands. A PDS that remembers the person asks for no password. */
async function signIn(page: Page, password: string): Promise<void> {
  await arrived(page)
  const asked = page.getByRole('textbox', { name: 'Password' })
  const authorize = button(page, 'Authorize')
  await asked.or(authorize).waitFor()
  if (!(await asked.isVisible())) return
  await asked.fill(password)
  await button(page, 'Sign in').click()
  await authorize.waitFor()
}

/** The page that it comes from may have fields and buttons of the same names. */
const arrived = (page: Page): Promise<void> => page.waitForURL((url) => url.pathname === '/oauth/authorize')

const button = (page: Page, name: string): Locator => page.getByRole('button', { name, exact: true })

async function leave(page: Page, by: Locator): Promise<void> {
  await by.waitFor()
  const { origin } = new URL(page.url())
  await by.click()
  await page.waitForURL((url) => url.origin !== origin)
}
