// node_modules follows package-lock.json: installed when it is missing or belongs to another lock file.
// The stamp lies inside node_modules, which `npm ci` empties first: an interrupted install leaves no stamp.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { npmCi } from './npm.mjs'
import { inProject, root } from './paths.mjs'
import { step } from './progress.mjs'
import { withSetupLock } from './setup-lock.mjs'

const lockFile = inProject('package-lock.json')
const installedFile = inProject('node_modules', '.package-lock.json')
const stamp = inProject('node_modules', '.latchkey-stamp')

/**
 * @typedef {object} LockedPackage
 * @property {string} [version]
 * @property {string} [integrity]
 * @property {boolean} [optional]
 * @property {boolean} [peer]
 */
/** @typedef {{ packages?: Record<string, LockedPackage> }} Lock */

export async function installDependencies() {
  if (isCurrent()) return
  await withSetupLock(async (noteChild) => {
    if (isCurrent()) return
    if (isInstalledByHand()) return writeStamp()
    await step('Install the dependencies (npm ci)', () => npmCi(root, 'dependencies', noteChild))
    writeStamp()
  })
}

const lockHash = () => createHash('sha256').update(readFileSync(lockFile)).digest('hex')
const writeStamp = () => writeFileSync(stamp, lockHash())
const isCurrent = () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash()

/** True after a developer's own `npm install`: npm's record of what is there agrees with the lock file. */
function isInstalledByHand() {
  if (!existsSync(installedFile)) return false
  return satisfies(JSON.parse(readFileSync(installedFile, 'utf8')), JSON.parse(readFileSync(lockFile, 'utf8')))
}

/**
 * Whether every package of the lock file is installed in its version; optional ones may be absent (other platforms).
 * @param {Lock} installed @param {Lock} lock
 */
export function satisfies(installed, lock) {
  return Object.entries(lock.packages ?? {}).every(([path, wanted]) => {
    if (path === '') return true
    const found = installed.packages?.[path]
    if (found === undefined) return wanted.optional === true
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}
