// The Electron that the desktop app runs in during development. Its package brings no program: that is fetched when
// somebody asks for it, and `import 'electron'` would do so unasked; so only its files are looked at here.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findOnPath } from './find-program.mjs'
import { inProject, setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runQuietly, tail, tool } from './processes.mjs'
import { step } from './progress.mjs'

/** The path of the program, if it is there. @returns {string | undefined} */
export function findElectron(env = process.env) {
  const folder = inProject('node_modules', 'electron')
  const named = join(folder, 'path.txt')
  const name = existsSync(named) ? readFileSync(named, 'utf8') : 'electron'
  const program = join(env.ELECTRON_OVERRIDE_DIST_PATH ?? join(folder, 'dist'), name)
  return existsSync(program) ? program : undefined
}

/** Why no window can be opened here; undefined where one can. @returns {string | undefined} */
export function whyNoWindow(env = process.env) {
  if (process.platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return 'this machine shows no windows'
  if (process.platform === 'linux' && process.getuid?.() === 0) return 'Electron does not run as root'
  return findElectron(env) === undefined ? 'the Electron program is not installed' : undefined
}

/** Finds it or fetches it; says what to do where neither works. @returns {Promise<string>} */
export async function provideElectron() {
  const found = findElectron()
  if (found) return found
  const log = join(setupDirectory, 'electron.log')
  await step('Fetch the Electron program (about 110 MB, once)', async () => {
    const code = await runQuietly(process.execPath, [tool('electron/install.js')], { log, timeoutMs: 10 * 60 * 1000 })
    if (code === 0) return
    throw new Problem(
      `${tail(log, 10)}\n\nThe Electron program could not be fetched. \`npm start\` runs Latchkey in this terminal instead.`,
    )
  })
  const fetched = findElectron()
  if (fetched) return fetched
  throw new Problem('The Electron program was fetched, but it is not where it should be.')
}

/** A display for tests where there is none. @returns {string | undefined} */
export const findXvfb = (env = process.env) => findOnPath(['xvfb-run'], env.PATH)
