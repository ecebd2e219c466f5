import { chromium, type Browser } from 'playwright-core'
import { findChromium } from '../../scripts/chromium.mjs'

/** Starts the machine's Chromium without a window. Close it in `afterAll`. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium()
  if (executablePath === undefined) throw new Error('No Chromium found. `npm run test:browser` installs one.')
  const isRoot = process.getuid?.() === 0
  return chromium.launch({
    executablePath,
    headless: true,
    args: [
      ...(isRoot ? ['--no-sandbox'] : []),
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
