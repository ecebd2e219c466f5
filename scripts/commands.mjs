// The commands of run.mjs. Each reads as what it does.
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildWhenStale, serverEntry } from './build.mjs'
import { installDependencies } from './dependencies.mjs'
import { inProject, setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { say } from './progress.mjs'

/** @type {Record<string, (args: string[]) => Promise<void>>} */
const commands = {
  start,
  serve,
  check,
  test,
  browser,
  atproto,
  bench,
  soak,
  desktop,
  package: pack,
  'test-desktop': testWindow,
}

/** @param {string[]} argv the command and its arguments */
export async function runCommand([name = '', ...args]) {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined)
    throw new Problem(`Unknown command "${name}". There are: ${Object.keys(commands).join(', ')}.`)
  await installDependencies()
  await command(args)
}

/** @param {string[]} args */
async function start(args) {
  const { whyNoWindow } = await import('./electron.mjs')
  const reason = whyNoWindow()
  if (reason === undefined) return desktop(args)
  await buildWhenStale()
  say(
    `Latchkey runs in this terminal (no desktop window: ${reason}); open the address below in a browser. Ctrl-C stops it.`,
  )
  await runHere(serverEntry, serverArguments(args))
}

/** @param {string[]} args */
async function serve(args) {
  await buildWhenStale()
  await runHere(serverEntry, serverArguments(args))
}

/** @param {string[]} args */
async function check(args) {
  const { checkEverything } = await import('./check.mjs')
  if (args.length > 0) throw new Problem('npm run check takes no arguments.')
  await checkEverything()
}

/** @param {string[]} args */
async function test(args) {
  const { runTests } = await import('./test.mjs')
  await runTests(args)
}

/** @param {string[]} args */
async function browser(args) {
  const { runTests } = await import('./test.mjs')
  await runTests(['--only', '--project', 'browser', ...args])
}

/** @param {string[]} args */
async function atproto(args) {
  const { runAtprotoTests } = await import('./atproto.mjs')
  await runAtprotoTests(args)
}

/** @param {string[]} args */
async function bench(args) {
  await buildWhenStale()
  await runHere(inProject('bench', 'run.ts'), args)
}

/** @param {string[]} args */
async function desktop(args) {
  const { runDesktop } = await import('./desktop.mjs')
  await runDesktop(args)
}

/** @param {string[]} args */
async function pack(args) {
  const { packDesktop } = await import('./desktop.mjs')
  await packDesktop(args)
}

/** @param {string[]} args */
async function testWindow(args) {
  const { testDesktop } = await import('./desktop.mjs')
  await testDesktop(args)
}

/** @param {string[]} args */
async function soak(args) {
  await buildWhenStale()
  await runHere(inProject('bench', 'soak.ts'), args)
}

/**
 * `npm run serve -- --port 9000` means the command `serve`; a word in front is a command of its own (`user list`).
 * @param {string[]} args
 */
export function serverArguments(args) {
  return args[0] === undefined || args[0].startsWith('-') ? ['serve', ...args] : args
}

/** Runs a program in this very process: no wrapper to pay for, and signals reach it directly. @param {string} file @param {string[]} args */
async function runHere(file, args) {
  enableCompileCache(join(setupDirectory, 'compile-cache'))
  process.argv = [process.execPath, file, ...args]
  await import(pathToFileURL(file).href)
}
