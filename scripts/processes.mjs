// Running other programs: quietly with a log, or attached to this terminal.
import { spawn } from 'node:child_process'
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { Problem } from './problem.mjs'
import { inProject, root } from './paths.mjs'

/** @typedef {'SIGINT' | 'SIGTERM' | 'SIGHUP'} StopSignal */
/** @type {StopSignal[]} */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set()

/** @param {StopSignal} signal */
function stopEverything(signal) {
  for (const child of children) child.kill(signal)
  process.exit(128 + constants.signals[signal])
}

/**
 * Keeps a child on the list of what must not outlive this process when a person interrupts it.
 * @param {import('node:child_process').ChildProcess} child
 */
function stopWithUs(child) {
  if (children.size === 0) for (const signal of stopSignals) process.on(signal, stopEverything)
  children.add(child)
  child.once('exit', () => {
    children.delete(child)
    if (children.size === 0) for (const signal of stopSignals) process.off(signal, stopEverything)
  })
}

/**
 * @typedef {object} QuietOptions
 * @property {string} log file that receives all output
 * @property {string} [cwd]
 * @property {NodeJS.ProcessEnv} [env]
 * @property {boolean} [shell]
 * @property {number} [timeoutMs]
 * @property {(pid: number) => void} [onStart]
 */

/**
 * Runs a program with its output in a log file. The output goes straight to the file, not through a pipe, so a program
 * that outlives us by `kill -9` still finishes.
 * @param {string} command @param {string[]} args @param {QuietOptions} options
 * @returns {Promise<number>} the exit code
 */
export async function runQuietly(command, args, { log, cwd = root, env = process.env, shell = false, ...options }) {
  mkdirSync(dirname(log), { recursive: true })
  const output = createWriteStream(log)
  await new Promise((resolve, reject) => output.once('open', resolve).once('error', reject))
  try {
    const child = spawn(command, args, { cwd, env, shell, stdio: ['ignore', output, output], windowsHide: true })
    stopWithUs(child)
    if (child.pid !== undefined) options.onStart?.(child.pid)
    const timer = setTimeout(() => child.kill('SIGTERM'), options.timeoutMs ?? 2 ** 31 - 1)
    return await exitCode(child, command).finally(() => clearTimeout(timer))
  } finally {
    output.end()
  }
}

/**
 * Runs a program on this terminal and waits for it; SIGINT, SIGTERM and SIGHUP are passed on.
 * @param {string} command @param {string[]} args
 * @param {{ env?: NodeJS.ProcessEnv, tether?: boolean }} [options] `tether`: signals and our end reach the child by IPC, see endWithParent
 * @returns {Promise<number>} the exit code
 */
export async function runAttached(command, args, { env = process.env, tether = false } = {}) {
  const stdio = tether ? /** @type {const} */ (['inherit', 'inherit', 'inherit', 'ipc']) : 'inherit'
  const child = spawn(command, args, { env, stdio: /** @type {import('node:child_process').StdioOptions} */ (stdio) })
  /** @param {StopSignal} signal */
  const forward = (signal) => void (child.connected ? child.send(signal, () => {}) : child.kill(signal))
  for (const signal of stopSignals) process.on(signal, forward)
  return await exitCode(child, command).finally(() => {
    for (const signal of stopSignals) process.off(signal, forward)
  })
}

/**
 * @param {import('node:child_process').ChildProcess} child @param {string} command
 * @returns {Promise<number>}
 */
function exitCode(child, command) {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(new Problem(`Could not run ${command}: ${error.message}`)))
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  })
}

/** @param {string} log @param {number} [lines] */
export function tail(log, lines = 40) {
  return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
}

/** The script of a tool in node_modules, to be run by this Node. @param {string} path */
export const tool = (path) => inProject('node_modules', path)
