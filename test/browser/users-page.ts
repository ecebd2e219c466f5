import type { Locator, Page } from 'playwright-core'

/** What people do on the Users page, in their words. */

export function rowOf(page: Page, name: string): Locator {
  return page
    .getByRole('table', { name: 'Users' })
    .getByRole('row')
    .filter({ has: page.getByRole('button', { name: `Edit ${name}`, exact: true }) })
}

/** From any page of the console. */
export async function openUsers(page: Page): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Main navigation' })
    .getByRole('link', { name: 'Users', exact: true })
    .click()
  await page.getByRole('table', { name: 'Users' }).waitFor()
}

export async function openMenu(page: Page, name: string): Promise<Locator> {
  await page.getByRole('button', { name: `Actions for ${name}`, exact: true }).click()
  return page.getByRole('menu', { name: `Actions for ${name}`, exact: true })
}

export async function chooseAct(page: Page, name: string, act: string): Promise<Locator> {
  const menu = await openMenu(page, name)
  await menu.getByRole('menuitem', { name: act, exact: true }).click()
  return page.getByRole('dialog')
}

/** Chooses in a list field. */
export async function choose(page: Page, field: string, option: string): Promise<void> {
  await page.getByRole('combobox', { name: field }).press('Enter')
  await page.getByRole('option', { name: option, exact: true }).click()
}

/** Resets a password through the dialog and answers what was shown once. */
export async function resetPassword(page: Page, name: string, look = async () => {}): Promise<string> {
  const dialog = await chooseAct(page, name, 'Reset password')
  await dialog.getByRole('button', { name: 'Generate' }).click()
  await dialog.getByRole('button', { name: 'Reset password' }).click()
  await page.getByRole('dialog', { name: 'Password reset' }).waitFor()
  await look()
  return takeResult(page)
}

/** Reads the password that is shown once, and closes its window. */
export async function takeResult(page: Page): Promise<string> {
  const result = page.getByRole('dialog', { name: 'Password reset' })
  const password = (await result.getByRole('group', { name: 'Password' }).textContent()) ?? ''
  await result.getByRole('button', { name: 'Close' }).click()
  await result.waitFor({ state: 'hidden' })
  return password
}
