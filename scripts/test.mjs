// Everything a change must pass: checks, a fresh build, then all tests, with a real PostgreSQL. Those of the pages take as long as all
// the others together, so they are a command of their own.
import { buildDesktopWhenStale, buildWhenStale } from './build.mjs'
import { checkEverything } from './check.mjs'
import { provideChromium } from './chromium.mjs'
import { provideNamespaces } from './namespaces.mjs'
import { provideInitdb } from './postgres.mjs'
import { Problem } from './problem.mjs'
import { runAttached, tool } from './processes.mjs'
import { say } from './progress.mjs'

/** `--only` leaves the checks out and hands the rest to vitest. @param {string[]} args */
export function testPlan(args) {
  if (args.length === 0) return { checks: true, vitest: ['--project', '!browser'] }
  if (args[0] === '--only') return { checks: false, vitest: args.slice(1) }
  throw new Problem('npm test takes no arguments but --only: npm test -- --only test/server -t "signs in"')
}

/** @param {string[]} args */
export async function runTests(args) {
  const plan = testPlan(args)
  if (plan.checks) await checkEverything()
  await buildWhenStale()
  await buildDesktopWhenStale()
  const chromium = await provideChromium()
  const initdb = await provideInitdb()
  await provideNamespaces()
  const env = { ...process.env, LATCHKEY_CHROMIUM: chromium, LATCHKEY_INITDB: initdb }
  const started = performance.now()
  const code = await runAttached(process.execPath, [tool('vitest/vitest.mjs'), 'run', ...plan.vitest], { env })
  say(`${code === 0 ? '✓' : '✗'} Tests (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  process.exitCode = code
}
