import { expect } from 'vitest'
import type { Locator, Page } from 'playwright-core'

/** What people do on the page of a login token. */

export function look(page: Page): Locator {
  return page.getByRole('button', { name: 'Continue', exact: true })
}

export function confirm(page: Page, name = 'luis'): Locator {
  return page.getByRole('button', { name: `Sign in as ${name}`, exact: true })
}

/** Both presses: first to see who it is, then to sign in. */
export async function press(page: Page, name?: string): Promise<void> {
  await look(page).click()
  await confirm(page, name).click()
}

export async function refused(page: Page): Promise<void> {
  await page.getByTestId('refusal').getByText('The login token is wrong, used up or no longer valid.').waitFor()
  expect(await page.getByRole('button', { name: /^(Continue|Sign in as)/ }).count()).toBe(0)
}
