// A Chromium for the browser tests: the machine's own, else one that we install.
import { homedir } from 'node:os'
import { join } from 'node:path'
import { installPackage, mayInstallPackages } from './debian.mjs'
import { findOnPath, isProgram, newestFirst } from './find-program.mjs'
import { setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runQuietly, tail, tool } from './processes.mjs'
import { step } from './progress.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge']

/** The path of a Chromium or Chrome, if there is one. @returns {string | undefined} */
export function findChromium(env = process.env) {
  const chosen = env.LATCHKEY_CHROMIUM
  if (chosen) {
    if (isProgram(chosen)) return chosen
    throw new Problem(`LATCHKEY_CHROMIUM names ${chosen}, and there is no program there.`)
  }
  return findOnPath(names, env.PATH) ?? usualPlaces(env).find(isProgram) ?? playwrightCache(env).find(isProgram)
}

/** Finds one or installs one; says what to do where neither works. @returns {Promise<string>} */
export async function provideChromium() {
  const found = findChromium()
  if (found) return found
  if (mayInstallPackages()) await installPackage('chromium')
  else await installByPlaywright()
  const installed = findChromium()
  if (installed) return installed
  throw new Problem(
    'The browser tests need Chromium or Chrome, and none was found.\n' +
      'Install one (Debian: apt-get install chromium; macOS: brew install --cask google-chrome; Windows: winget install Google.Chrome),\n' +
      'or set LATCHKEY_CHROMIUM to the path of one.',
  )
}

/** @param {NodeJS.ProcessEnv} env */
function usualPlaces(env) {
  if (process.platform === 'darwin')
    return ['Google Chrome', 'Chromium', 'Microsoft Edge'].map(
      (name) => `/Applications/${name}.app/Contents/MacOS/${name}`,
    )
  if (process.platform !== 'win32') return ['/snap/bin/chromium']
  const folders = [env.PROGRAMFILES, env['PROGRAMFILES(X86)'], env.LOCALAPPDATA].filter(
    (folder) => folder !== undefined,
  )
  const programs = [
    'Google\\Chrome\\Application\\chrome.exe',
    'Chromium\\Application\\chrome.exe',
    'Microsoft\\Edge\\Application\\msedge.exe',
  ]
  return folders.flatMap((folder) => programs.map((program) => join(folder, program)))
}

/** @param {NodeJS.ProcessEnv} env */
function playwrightCache(env) {
  const places = {
    linux: join(homedir(), '.cache'),
    darwin: join(homedir(), 'Library', 'Caches'),
    win32: env.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'),
  }
  const place = Object.entries(places).find(([platform]) => platform === process.platform)?.[1] ?? homedir()
  const cache = env.PLAYWRIGHT_BROWSERS_PATH ?? join(place, 'ms-playwright')
  const binaries = [
    ['chrome-linux64', 'chrome'],
    ['chrome-linux', 'chrome'],
    ['chrome-mac-arm64', 'Google Chrome for Testing.app', 'Contents', 'MacOS', 'Google Chrome for Testing'],
    ['chrome-mac-x64', 'Google Chrome for Testing.app', 'Contents', 'MacOS', 'Google Chrome for Testing'],
    ['chrome-win64', 'chrome.exe'],
  ]
  const versions = newestFirst(cache).filter((name) => /^chromium-\d+$/.test(name))
  return versions.flatMap((version) => binaries.map((parts) => join(cache, version, ...parts)))
}

async function installByPlaywright() {
  const log = join(setupDirectory, 'playwright.log')
  const args = [tool('playwright-core/cli.js'), 'install', '--no-shell', 'chromium']
  await step('Install Chromium (playwright)', async () => {
    const code = await runQuietly(process.execPath, args, { log, timeoutMs: 5 * 60 * 1000 })
    if (code === 0) return
    throw new Problem(
      `${tail(log)}\n\nChromium could not be fetched. Install Chromium or Chrome by hand, or set LATCHKEY_CHROMIUM to its path.`,
    )
  })
}
