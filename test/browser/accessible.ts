import axe, { type AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** How the browser is opened. What is judged is judged in the other width and appearance, too. */
export const LOOKS = [['light', 1280]] as const

const WIDE = { width: 1280, height: 844 }
const NARROW = { width: 390, height: 844 }

type Scheme = 'light' | 'dark'

/** What the appearance alone decides. */
const COLOURS = ['color-contrast', 'link-in-text-block']

/** No finding of axe, and nothing that scrolls sideways: wide and light, narrow and dark. */
export async function expectAccessible(page: Page, where: string): Promise<void> {
  await judge(page, where)
  await page.setViewportSize(NARROW)
  await show(page, 'dark')
  await judge(page, `${where}, narrow and dark`)
  await page.setViewportSize(WIDE)
  await show(page, 'light')
}

/** The same of a whole page, whose colours are judged when it is wide and dark, too. */
export async function expectAccessiblePage(page: Page, where: string): Promise<void> {
  await expectAccessible(page, where)
  await show(page, 'dark')
  await judge(page, `${where}, dark`, COLOURS)
  await show(page, 'light')
}

async function judge(page: Page, where: string, rules?: readonly string[]): Promise<void> {
  // A list that is being loaded is dimmed for that moment.
  await expect.poll(() => page.locator('[aria-busy=true]').count()).toBe(0)
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
  await expectNoFindings(page, where, rules)
  expect(
    await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth),
    `${where} scrolls sideways`,
  ).toBe(true)
}

/** No finding of axe on the page as it stands, also while something is under way. */
export async function expectNoFindings(page: Page, where: string, rules?: readonly string[]): Promise<void> {
  // Put in by the debugger, so that the page's own policy need not allow it.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const options = { resultTypes: ['violations'], ...(rules && { runOnly: rules }) }
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${JSON.stringify(options)})`)
  const findings = violations.map(
    ({ id, nodes }) => `${where}: ${id} ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  )
  expect(findings).toEqual([])
}

async function show(page: Page, colorScheme: Scheme): Promise<void> {
  await page.emulateMedia({ colorScheme })
  const isDark = () => document.querySelector('.v-theme--dark') !== null
  await expect.poll(() => page.evaluate(isDark)).toBe(colorScheme === 'dark')
  // Colours that are still on their way from one to the other have no contrast worth measuring.
  const changing = () => document.getAnimations().filter((animation) => animation instanceof CSSTransition).length
  await expect.poll(() => page.evaluate(changing)).toBe(0)
}
