// Runs one private PostgreSQL for as long as the process that started this one lives: `node postgres-keeper.mjs <initdb>`.
// Prints {"url": …} when ready. When its stdin closes, by a tidy end or by `kill -9` of the parent, it stops the server
// and removes its data, so tests never leave a server behind.
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { postgresBeside } from './postgres.mjs'

const initdb = process.argv[2] ?? ''
const folder = mkdtempSync(join(tmpdir(), 'latchkey-pg-'))
const data = join(folder, 'data')
const account = unprivilegedAccount()
if (account.uid !== undefined) chownSync(folder, account.uid, account.gid)

process.on('SIGINT', () => {}) // Ctrl-C reaches the whole terminal; our end comes with the parent's.
process.stdin.resume()
const parentGone = new Promise((resolve) => process.stdin.once('close', resolve))

try {
  const started = performance.now()
  const options = ['-D', data, '-U', 'latchkey', '-A', 'trust', '--no-sync', '-E', 'UTF8', '--locale=C']
  execFileSync(initdb, options, { ...account, cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] })
  await serve(await freePort(), started)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** @param {number} port @param {number} started */
async function serve(port, started) {
  const fast = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=200']
  const private_ = [
    'listen_addresses=127.0.0.1',
    `unix_socket_directories=${process.platform === 'win32' ? '' : folder}`,
  ]
  const settings = [...private_, ...fast, 'log_min_messages=fatal'].flatMap((setting) => ['-c', setting])
  const server = spawn(postgresBeside(initdb), ['-D', data, '-p', String(port), ...settings], {
    ...account,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => server.once('exit', resolve))
  await Promise.race([isReady(port), ended.then(() => Promise.reject(new Error('PostgreSQL ended while starting')))])
  const url = `postgres://latchkey@127.0.0.1:${port}`
  process.stdout.write(`${JSON.stringify({ url, milliseconds: Math.round(performance.now() - started) })}\n`)
  await Promise.race([parentGone, ended])
  server.kill('SIGINT') // PostgreSQL's "fast" shutdown
  await Promise.race([ended, sleep(10_000, undefined, { ref: false }).then(() => server.kill('SIGQUIT'))])
  await ended
}

/** The server writes "ready" into the last line of its pid file. @param {number} port */
async function isReady(port) {
  for (let waited = 0; waited < 60_000; waited += 20) {
    await sleep(20)
    if (statusLine().startsWith('ready')) return
  }
  throw new Error(`PostgreSQL did not get ready on port ${port} within a minute`)
}

function statusLine() {
  try {
    return readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[7]?.trim() ?? ''
  } catch {
    return ''
  }
}

/** PostgreSQL refuses to run as root: the account of its Debian package stands in. */
function unprivilegedAccount() {
  if (process.getuid?.() !== 0) return {}
  try {
    /** @param {string} flag */
    const id = (flag) =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
    return { uid: id('-u'), gid: id('-g') }
  } catch {
    throw new Error(
      'PostgreSQL cannot run as root, and there is no account "postgres". Create one: useradd --system postgres',
    )
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port'))))
    })
  })
}
