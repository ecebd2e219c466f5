// The page (dist/page), the server (dist/server) and the desktop app (dist/desktop, dist/preload), built again only when something they are made of has changed.
// A build goes to a folder beside and is swapped in when it is whole, so an interrupted one harms nothing.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint } from './fingerprint.mjs'
import { inProject, root, setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runQuietly, tail, tool } from './processes.mjs'
import { step } from './progress.mjs'
import { withSetupLock } from './setup-lock.mjs'

const common = ['api', 'vite.config.ts', 'package.json', 'package-lock.json', 'tsconfig.base.json']

/** @typedef {{ name: string, title: string, inputs: string[], args: string[] }} Target */
/** @type {Target[]} */
const targets = [
  { name: 'page', title: 'Build the page', inputs: ['renderer', ...common], args: ['build'] },
  { name: 'server', title: 'Build the server', inputs: ['server', ...common], args: ['build', '--mode', 'server'] },
]

const desktopInputs = ['electron', 'server', ...common]
/** Only who runs, tests or packs the desktop app pays for these. @type {Target[]} */
const desktopTargets = [
  { name: 'desktop', title: 'Build the desktop app', inputs: desktopInputs, args: ['build', '--mode', 'desktop'] },
  { name: 'preload', title: 'Build its bridge', inputs: desktopInputs, args: ['build', '--mode', 'preload'] },
]

export const serverEntry = inProject('dist', 'server', 'main.js')

/** Builds what is stale, all at once. */
export const buildWhenStale = () => buildStale(targets)

export const buildDesktopWhenStale = () => buildStale(desktopTargets)

/** @param {Target[]} targets */
async function buildStale(targets) {
  if (!targets.some(isStale)) return
  await withSetupLock(async () => {
    const results = await Promise.allSettled(
      targets.filter(isStale).map((target) => step(target.title, () => build(target))),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
  })
}

/** @param {Target} target */
const stampOf = (target) => inProject('dist', `.${target.name}-stamp`)

/** @param {Target} target */
function isStale(target) {
  const stamp = stampOf(target)
  return (
    !existsSync(inProject('dist', target.name)) ||
    !existsSync(stamp) ||
    readFileSync(stamp, 'utf8') !== fingerprint(root, target.inputs)
  )
}

/** @param {Target} target */
async function build(target) {
  const made = inProject('dist', `.${target.name}-next`)
  const log = join(setupDirectory, `build-${target.name}.log`)
  const before = fingerprint(root, target.inputs)
  mkdirSync(inProject('dist'), { recursive: true })
  rmSync(made, { recursive: true, force: true })
  const args = [tool('vite/bin/vite.js'), ...target.args, '--outDir', made, '--emptyOutDir', '--logLevel', 'warn']
  const code = await runQuietly(process.execPath, args, {
    log,
    env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
  })
  if (code !== 0)
    throw new Problem(`${tail(log, 60)}\n\n${target.title}: failed (exit code ${code}); the full log is ${log}`)
  rmSync(stampOf(target), { force: true })
  swapIn(made, inProject('dist', target.name))
  writeFileSync(stampOf(target), before)
}

/** @param {string} made @param {string} place */
function swapIn(made, place) {
  const old = `${place}.old-${process.pid}`
  if (existsSync(place)) renameSync(place, old)
  renameSync(made, place)
  rmSync(old, { recursive: true, force: true })
}
