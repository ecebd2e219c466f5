// node scripts/join-update-lists.mjs FOLDER: gathers the packages of all machines in FOLDER/all. The lists that the app's updater
// reads are made per machine; those of one name (Windows and macOS have one for both architectures) become one list of both.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { joinLists } from './update-list.mjs'

const folder = process.argv[2]
if (folder === undefined) throw new Error('Name the folder of the packages.')
const all = join(folder, 'all')
const found = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
mkdirSync(all, { recursive: true })
/** @type {Map<string, string[]>} */
const lists = new Map()
for (const path of found.sort()) {
  const name = basename(path)
  if (/^latest.*\.yml$/.test(name)) lists.set(name, [...(lists.get(name) ?? []), readFileSync(path, 'utf8')])
  else copyFileSync(path, join(all, name))
}
for (const [name, texts] of lists) writeFileSync(join(all, name), joinLists(texts))
