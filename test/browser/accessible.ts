import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Both widths and both appearances, each once: what is in a dialog has the same colours in either width. */
export const LOOKS = [
  ['light', 1280],
  ['dark', 390],
] as const

type Scheme = (typeof LOOKS)[number][0]

/** What the appearance alone decides. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** No finding of axe, or of these rules of it, and nothing that scrolls sideways. */
export async function expectAccessible(page: Page, where: string, rules?: readonly string[]): Promise<void> {
  // A list that is being loaded is dimmed for that moment.
  await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0)
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  // Put in by the debugger, so that the page's own policy need not allow it.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: rules }) }
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  const findings = violations.map(
    ({ id, nodes }) => `${where}: ${id} ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
  expect(findings).toEqual([])
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    `${where} scrolls sideways`,
  ).toBe(true)
}

/** A whole page looks different in each width: its colours are judged in the other appearance, too. */
export async function expectAccessiblePage(page: Page, where: string, scheme: Scheme): Promise<void> {
  await expectAccessible(page, where)
  const other = scheme === 'light' ? 'dark' : 'light'
  await show(page, other)
  await expectAccessible(page, `${where}, ${other}`, COLOURS)
  await show(page, scheme)
}

async function show(page: Page, colorScheme: Scheme): Promise<void> {
  await page.emulateMedia({ colorScheme })
  const isDark = () => document.querySelector('.v-theme--dark') !== null
  await expect.poll(() => page.evaluate(isDark)).toBe(colorScheme === 'dark')
  // Colours that are still on their way from one to the other have no contrast worth measuring.
  const changing = () => document.getAnimations().filter((animation) => animation instanceof CSSTransition).length
  await expect.poll(() => page.evaluate(changing)).toBe(0)
}
