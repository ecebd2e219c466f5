// `npm ci` in a folder: quiet, logged, explained when it fails.
import { join } from 'node:path'
import { Problem } from './problem.mjs'
import { runQuietly, tail } from './processes.mjs'
import { setupDirectory } from './paths.mjs'

const quietly = ['--loglevel=error', '--no-audit', '--no-fund', '--no-update-notifier', '--no-progress']

/** The npm that started us, run by this Node; else whatever `npm` is on PATH. */
export function npmCommand(env = process.env) {
  const cli = env.npm_execpath
  if (cli && /npm-cli\.js$/.test(cli)) return { command: process.execPath, args: [cli], shell: false }
  return { command: 'npm', args: [], shell: process.platform === 'win32' }
}

/** What an outer `npm run` tells its script about itself must not steer an inner npm. */
export function cleanNpmEnvironment(env = process.env) {
  const ours = /^npm_(lifecycle_|package_|command$|config_local_prefix$)|^INIT_CWD$/
  return Object.fromEntries(Object.entries(env).filter(([name]) => !ours.test(name)))
}

/**
 * @param {string} folder @param {string} logName
 * @param {(pid: number) => void} noteChild
 * @param {{ args?: string[], timeoutMs?: number }} [options] more for npm, and when to give up
 */
export async function npmCi(folder, logName, noteChild, { args: more = [], ...options } = {}) {
  const npm = npmCommand()
  const log = join(setupDirectory, `${logName}.log`)
  const args = [...npm.args, 'ci', '--include=dev', '--include=optional', ...quietly, ...more]
  const code = await runQuietly(npm.command, args, {
    log,
    cwd: folder,
    env: cleanNpmEnvironment(),
    shell: npm.shell,
    onStart: noteChild,
    ...options,
  })
  if (code === 0) return
  throw new Problem(
    `${tail(log)}\n\nnpm ci failed (exit code ${code}); the full log is ${log}\n` +
      'Check the network and the free disk space, then run the same command again: what was fetched is kept.',
  )
}
