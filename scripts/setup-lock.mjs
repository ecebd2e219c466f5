// One set-up at a time. The lock is a directory (mkdir is atomic everywhere) that names its holder and the program the
// holder runs; it is free again when both have ended, however they ended. So after a `kill -9` of the command, the next
// one first lets an orphaned npm finish instead of installing over it.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setupDirectory } from './paths.mjs'
import { say } from './progress.mjs'

const lock = join(setupDirectory, 'lock')
const holderFile = join(lock, 'holder.json')

/**
 * Runs `work` while no other command sets up this checkout.
 * @template T
 * @param {(noteChild: (pid: number) => void) => Promise<T>} work `noteChild` records a program that must end before others start
 * @returns {Promise<T>}
 */
export async function withSetupLock(work) {
  await acquire()
  try {
    return await work((pid) => writeHolder([process.pid, pid]))
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function acquire() {
  mkdirSync(setupDirectory, { recursive: true })
  let told = false
  while (!tryAcquire()) {
    const seen = readHolder()
    if (seen !== undefined && !seen.pids.some(isAlive)) {
      discard(seen.text)
      continue
    }
    if (!told) say('… Waiting for another command that is setting up this folder')
    told = true
    await sleep(200)
  }
}

function tryAcquire() {
  try {
    mkdirSync(lock)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
  writeHolder([process.pid])
  return true
}

/** @param {number[]} pids */
function writeHolder(pids) {
  const next = `${holderFile}.next`
  writeFileSync(next, JSON.stringify({ pids, since: new Date().toISOString() }))
  renameSync(next, holderFile)
}

/** Undefined while the holder is between taking the lock and signing it. */
function readHolder(path = holderFile) {
  try {
    const text = readFileSync(path, 'utf8')
    return { text, pids: /** @type {number[]} */ (JSON.parse(text).pids) }
  } catch {
    return undefined
  }
}

/** Moves a dead holder's lock aside; only one of several waiters succeeds. @param {string} seen */
function discard(seen) {
  const aside = `${lock}.dead-${process.pid}`
  try {
    renameSync(lock, aside)
  } catch {
    return
  }
  const moved = readHolder(join(aside, 'holder.json'))
  if (moved !== undefined && moved.text !== seen) return restore(aside)
  rmSync(aside, { recursive: true, force: true })
}

/** Another waiter was quicker and holds it now: give it back. @param {string} aside */
function restore(aside) {
  try {
    renameSync(aside, lock)
  } catch {
    rmSync(aside, { recursive: true, force: true })
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
