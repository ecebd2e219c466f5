// Format, lint, types, dead code: two at a time, all of them even when one fails, the findings of each in one piece.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint } from './fingerprint.mjs'
import { inProject, root, setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runQuietly, tool } from './processes.mjs'
import { say, step } from './progress.mjs'

/** @param {string} name */
const cache = (name) => join(setupDirectory, name)

// What eslint's own cache does not see: our rules' code and the packages' versions. (In a fresh clone there is no cache.)
const lintCache = cache(
  `eslint-${fingerprint(root, ['eslint.config.js', 'scripts/lint', 'package-lock.json']).slice(0, 12)}`,
)

/** @param {string} name */
const incremental = (name) => ['--incremental', '--tsBuildInfoFile', cache(`${name}.tsbuildinfo`)]

/** @typedef {{ name: string, title: string, args: string[], fix?: string }} Check */
/** @type {Check[]} the slow ones first */
const checks = [
  {
    name: 'lint',
    title: 'Lint',
    args: [tool('eslint/bin/eslint.js'), '--cache', '--cache-strategy=content', '--cache-location', lintCache, '.'],
  },
  {
    name: 'types-page',
    title: 'Types of the page',
    args: [tool('vue-tsc/bin/vue-tsc.js'), '-p', inProject('renderer'), ...incremental('types-page')],
  },
  {
    name: 'types',
    title: 'Types of the rest',
    args: [tool('typescript/bin/tsc'), '-p', inProject('tsconfig.json'), ...incremental('types')],
  },
  { name: 'dead-code', title: 'Dead code', args: [tool('knip/bin/knip.js'), '--no-progress'] },
  {
    name: 'format',
    title: 'Format',
    args: [
      tool('prettier/bin/prettier.cjs'),
      '--check',
      '--log-level=warn',
      '--cache',
      '--cache-location',
      cache('prettier-cache'),
      '.',
    ],
    fix: 'npx prettier --write .',
  },
]

export async function checkEverything() {
  const waiting = [...checks]
  /** @type {string[]} */
  const failed = []
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) if (!(await passes(next))) failed.push(next.title)
  }
  await Promise.all([worker(), worker()])
  if (failed.length > 0) throw new Problem(`Check failed: ${failed.join(', ')}.`)
}

/** @param {Check} check */
async function passes({ name, title, args, fix }) {
  const log = join(setupDirectory, `check-${name}.log`)
  const env = { ...process.env, FORCE_COLOR: process.stderr.isTTY ? '1' : '0' }
  const failure = new Error(title)
  try {
    await step(title, async () => {
      if ((await runQuietly(process.execPath, args, { log, env })) !== 0) throw failure
    })
  } catch (error) {
    if (error !== failure) throw error
    say(`${readFileSync(log, 'utf8').trimEnd()}${fix ? `\nTo mend it: ${fix}` : ''}\n`)
    return false
  }
  const remarks = readFileSync(log, 'utf8').trim()
  if (remarks && name === 'lint') say(remarks)
  return true
}
