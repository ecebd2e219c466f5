// The desktop app: to run it, to test it in a real Electron, to pack it.
import { basename, join, resolve } from 'node:path'
import { buildDesktopWhenStale, buildWhenStale } from './build.mjs'
import { findElectron, findXvfb, provideElectron, whyNoWindow } from './electron.mjs'
import { root } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runAttached, tool } from './processes.mjs'
import { say } from './progress.mjs'

/** Opens the window. @param {string[]} args */
export async function runDesktop(args) {
  const program = await provideElectron()
  const reason = whyNoWindow()
  if (reason) throw new Problem(`No window can be opened: ${reason}. \`npm start\` runs Latchkey in this terminal.`)
  await buildWhenStale()
  await buildDesktopWhenStale()
  process.exitCode = await runAttached(program, [root, ...args])
}

/**
 * The true launches of test/desktop: of the sources, or of the packaged program that LATCHKEY_PACKAGED names. Where Electron is not
 * there it says so, and that is no failure. @param {string[]} args
 */
export async function testDesktop(args) {
  const packaged = process.env.LATCHKEY_PACKAGED ? programIn(resolve(process.env.LATCHKEY_PACKAGED)) : undefined
  const electron = packaged ?? findElectron()
  const display = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY
  const xvfb = display ? undefined : findXvfb()
  if (electron === undefined || (!display && !xvfb)) {
    const missing =
      electron === undefined ? 'the Electron program is not installed' : 'there is no display, nor xvfb-run'
    say(`NOT TESTED: the desktop app was not launched, because ${missing}. Everything else about it is in npm test.`)
    return
  }
  if (packaged === undefined) {
    await buildWhenStale()
    await buildDesktopWhenStale()
  }
  const env = {
    ...process.env,
    LATCHKEY_DESKTOP_LANE: '1',
    [packaged === undefined ? 'LATCHKEY_ELECTRON' : 'LATCHKEY_PACKAGED']: electron,
  }
  const file = packaged === undefined ? 'test/desktop/launch.test.ts' : 'test/desktop/packaged.test.ts'
  const vitest = [process.execPath, tool('vitest/vitest.mjs'), 'run', '--project', 'desktop', file, ...args]
  const [program = '', ...words] = xvfb ? [xvfb, '-a', ...vitest] : vitest
  process.exitCode = await runAttached(program, words, { env })
}

/** The program inside of an application of macOS; elsewhere it is what was named. @param {string} path */
function programIn(path) {
  return path.endsWith('.app') ? join(path, 'Contents', 'MacOS', basename(path, '.app')) : path
}

/** What is packed on each system. The native parts in node_modules are those of this machine, so its architecture it is. */
/** @type {Record<string, string[]>} */
const TARGETS = {
  linux: ['--linux', 'AppImage', 'deb', 'rpm'],
  darwin: ['--mac', 'dmg', 'zip'],
  win32: ['--win', 'nsis', 'portable'],
}

/**
 * Where a packed app looks for its updates: the releases of `owner/name` on GitHub. Nowhere without one: a name that nobody
 * chose is a name that anybody may take.
 * @param {string | undefined} repository
 */
export function updateFeed(repository) {
  if (!repository) return []
  const [, owner, name] = /^([\w-]+)\/([\w.-]+)$/.exec(repository) ?? []
  if (owner === undefined || name === undefined)
    throw new Problem(`LATCHKEY_UPDATES_FROM must be OWNER/NAME of a repository on GitHub, not "${repository}".`)
  return [`-c.publish.provider=github`, `-c.publish.owner=${owner}`, `-c.publish.repo=${name}`]
}

/**
 * A workflow hands over a secret that is not there as an empty text, which electron-builder takes for a certificate.
 * @param {NodeJS.ProcessEnv} env
 */
export function withoutEmptyKeys(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name, value]) => value !== '' || !/^(WIN_)?CSC_|^APPLE_/.test(name)),
  )
}

/**
 * Packs for this system into release/. More arguments go to electron-builder; `--build-only` builds what is packed, and ends: the
 * release does that before it holds any key. @param {string[]} args
 */
export async function packDesktop(args) {
  const targets = TARGETS[process.platform]
  if (!targets) throw new Problem(`No packages are made on ${process.platform}.`)
  await buildWhenStale()
  await buildDesktopWhenStale()
  if (args.includes('--build-only')) return
  const program = tool('electron-builder/cli.js')
  const feed = updateFeed(process.env.LATCHKEY_UPDATES_FROM)
  const own = [...targets, `--${process.arch}`, '--publish', 'never', ...feed]
  process.exitCode = await runAttached(process.execPath, [program, ...own, ...args], {
    env: withoutEmptyKeys(process.env),
  })
  if (process.exitCode !== 0)
    throw new Problem('The packages could not be made; electron-builder says why above.', process.exitCode)
}
