// Installing a Debian package, where we may: as root on Debian or a descendant (containers, CI).
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setupDirectory } from './paths.mjs'
import { Problem } from './problem.mjs'
import { runQuietly, tail } from './processes.mjs'
import { step } from './progress.mjs'

const fiveMinutes = 5 * 60 * 1000

export const mayInstallPackages = () =>
  process.getuid?.() === 0 && existsSync('/etc/debian_version') && existsSync('/usr/bin/apt-get')

/** @param {string} name */
export async function installPackage(name) {
  await step(`Install ${name} (apt-get)`, async () => {
    const options = ['-q', '-o', 'Acquire::Retries=3', '-o', 'DPkg::Lock::Timeout=240']
    await aptGet(name, [...options, 'update'])
    await aptGet(name, [...options, 'install', '-y', '--no-install-recommends', name])
  })
}

/** One more try: mirrors have bad moments. @param {string} name @param {string[]} args */
async function aptGet(name, args) {
  const log = join(setupDirectory, `apt-${name}.log`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const run = () => runQuietly('/usr/bin/apt-get', args, { log, env, cwd: '/', timeoutMs: fiveMinutes })
  if ((await run()) === 0 || (await run()) === 0) return
  throw new Problem(
    `${tail(log)}\n\napt-get ${args.at(-1)} failed; the full log is ${log}\nInstall the Debian package ${name} by hand, then run the same command again.`,
  )
}
