// Where things are. All paths are absolute, so that a command works from any folder.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** @param {...string} parts */
export const inProject = (...parts) => join(root, ...parts)

/** Logs, caches and the set-up lock; never committed, safe to delete while nothing runs. */
export const setupDirectory = inProject('.setup')
