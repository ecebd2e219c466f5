// Looking for a program: on PATH, or where installers put it.
import { accessSync, constants, readdirSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @param {string} path */
export function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** @param {string[]} names @returns {string | undefined} */
export function findOnPath(names, path = process.env.PATH ?? '') {
  const folders = path.split(delimiter).filter(Boolean)
  const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find(isProgram)
}

/** The names in a folder, the highest version number first; none when there is no such folder. @param {string} folder */
export function newestFirst(folder) {
  try {
    return readdirSync(folder).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  } catch {
    return []
  }
}
