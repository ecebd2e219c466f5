import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cleanNpmEnvironment, npmCommand } from '../scripts/npm.mjs'
import type { Bench } from './figure.ts'

/** What we measure ourselves against, in a folder with a lock file of its own, so that the project's stays light. */
const FOLDER = join(import.meta.dirname, 'peers')
const LOCK = join(FOLDER, 'package-lock.json')
/** Inside the folder that `npm ci` empties first: an interrupted install leaves no stamp. */
const STAMP = join(FOLDER, 'node_modules', '.latchkey-stamp')

/** Installs the peers when they are missing or another lock file's. Their own install scripts do not run. */
export async function installPeers({ say }: Bench): Promise<void> {
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === readFileSync(LOCK, 'utf8')) return
  say('  Installing what we are measured against (npm ci in bench/peers) …')
  const npm = npmCommand()
  const args = [...npm.args, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--no-progress']
  const child = spawn(npm.command, args, {
    cwd: FOLDER,
    env: cleanNpmEnvironment(),
    shell: npm.shell,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`npm ci failed in bench/peers (exit code ${code}).`)
  writeFileSync(STAMP, readFileSync(LOCK, 'utf8'))
}

/** A program of the peers' folder. */
export const peerProgram = (name: string): string => join(FOLDER, name)

interface Statement {
  run(...values: unknown[]): unknown
  pluck(): Statement
  all(): unknown[]
}

/** What we use of better-sqlite3, which brings no types. */
export interface BetterSqlite3 {
  pragma(text: string): unknown
  prepare(sql: string): Statement
  transaction(work: () => void): () => void
  close(): void
}

export function openBetterSqlite3(path: string): BetterSqlite3 {
  const Database = createRequire(join(FOLDER, 'package.json'))('better-sqlite3') as new (path: string) => BetterSqlite3
  return new Database(path)
}
