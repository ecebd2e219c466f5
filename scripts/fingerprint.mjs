// A cheap summary of source files: it changes when one is added, removed, renamed or written.
import { createHash } from 'node:crypto'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param {string} root
 * @param {string[]} inputs files and folders, relative to root; missing ones count as such
 * @returns {string}
 */
export function fingerprint(root, inputs) {
  const hash = createHash('sha256')
  for (const input of inputs) addPath(hash, root, input)
  return hash.digest('hex')
}

/** @param {import('node:crypto').Hash} hash @param {string} root @param {string} path */
function addPath(hash, root, path) {
  const stat = statSync(join(root, path), { throwIfNoEntry: false })
  if (stat?.isDirectory()) {
    for (const name of readdirSync(join(root, path)).sort()) addPath(hash, root, `${path}/${name}`)
    return
  }
  hash.update(stat ? `${path}\0${stat.size}\0${stat.mtimeMs}\n` : `${path}\0missing\n`)
}
