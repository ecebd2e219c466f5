// PostgreSQL's programs for the storage tests: the machine's own, else Debian's package.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { installPackage, mayInstallPackages } from './debian.mjs'
import { findOnPath, isProgram, newestFirst } from './find-program.mjs'
import { Problem } from './problem.mjs'

const exe = process.platform === 'win32' ? '.exe' : ''

/** The path of an initdb that has its postgres beside it, if there is one. @returns {string | undefined} */
export function findInitdb(env = process.env) {
  const onPath = findOnPath([`initdb${exe}`], env.PATH)
  return [env.LATCHKEY_INITDB, onPath, ...usualPlaces()].find(
    (path) => path && isProgram(path) && isProgram(postgresBeside(path)),
  )
}

/** @param {string} initdb */
export const postgresBeside = (initdb) => join(dirname(initdb), `postgres${exe}`)

/** Finds one or installs one; says what to do where neither works. @returns {Promise<string>} */
export async function provideInitdb() {
  const found = findInitdb()
  if (found) return found
  if (mayInstallPackages()) {
    withoutDefaultCluster()
    await installPackage('postgresql')
  }
  const installed = findInitdb()
  if (installed) return installed
  throw new Problem(howToGetPostgres)
}

export const howToGetPostgres =
  'The storage tests need PostgreSQL 15 or newer (postgres and initdb), and none was found.\n' +
  'Install it (Debian: apt-get install postgresql; macOS: brew install postgresql@17; Windows: winget install PostgreSQL.PostgreSQL.17),\n' +
  'or put its bin folder on PATH. No server needs to run: the tests start their own.'

function usualPlaces() {
  const folders = [
    ['/usr/lib/postgresql', 'bin'],
    ['/opt/homebrew/opt', 'bin'],
    ['/usr/local/opt', 'bin'],
    ['C:\\Program Files\\PostgreSQL', 'bin'],
  ]
  return folders.flatMap(([base = '', bin = '']) =>
    newestFirst(base)
      .filter((name) => /^(postgresql@)?\d+$/.test(name))
      .map((version) => join(base, version, bin, `initdb${exe}`)),
  )
}

/** Debian's package would create and start a server of its own; the tests need only the programs. */
function withoutDefaultCluster() {
  const settings = '/etc/postgresql-common/createcluster.conf'
  if (existsSync(settings)) return
  mkdirSync(dirname(settings), { recursive: true })
  writeFileSync(settings, 'create_main_cluster = false\n')
}
