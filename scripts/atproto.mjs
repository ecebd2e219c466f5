// The tests of ATProto sign-in in a real browser: at a provider of ours that agrees at once, and at a real PDS. That comes from npm into a folder with a lock file of its own, so that nobody who
// only runs Latchkey or its other tests pays for it.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildWhenStale } from './build.mjs'
import { provideChromium } from './chromium.mjs'
import { npmCi } from './npm.mjs'
import { inProject } from './paths.mjs'
import { runAttached, tool } from './processes.mjs'
import { say, step } from './progress.mjs'
import { withSetupLock } from './setup-lock.mjs'

export const peersFolder = inProject('test', 'atproto', 'peers')
const lockFile = join(peersFolder, 'package-lock.json')
/** Inside the folder that `npm ci` empties first: an interrupted install leaves no stamp. */
const stamp = join(peersFolder, 'node_modules', '.latchkey-stamp')

/** Whether what is there is what the lock file says. */
export const isInstalled = () => existsSync(stamp) && readFileSync(stamp).equals(readFileSync(lockFile))

/** @param {string[]} args more for vitest: `npm run test:atproto -- -t "signs up"` */
export async function runAtprotoTests(args) {
  await installPeers()
  await buildWhenStale()
  const chromium = await provideChromium()
  const env = { ...process.env, LATCHKEY_CHROMIUM: chromium, LATCHKEY_ATPROTO_LANE: '1' }
  const started = performance.now()
  const vitest = [tool('vitest/vitest.mjs'), 'run', '--project', 'atproto', ...args]
  const code = await runAttached(process.execPath, vitest, { env })
  say(`${code === 0 ? '✓' : '✗'} ATProto tests (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  process.exitCode = code
}

async function installPeers() {
  if (isInstalled()) return
  await withSetupLock(async (noteChild) => {
    if (isInstalled()) return
    // Nothing of it needs compiling: its SQLite brings a build for each platform.
    await step('Install a PDS and a PLC directory (npm ci in test/atproto/peers)', () =>
      npmCi(peersFolder, 'atproto-peers', noteChild, { args: ['--ignore-scripts'], timeoutMs: 15 * 60 * 1000 }),
    )
    writeFileSync(stamp, readFileSync(lockFile))
  })
}
