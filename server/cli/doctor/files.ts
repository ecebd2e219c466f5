import { readdir, readFile, stat, statfs } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { findLeftovers } from '../../backup/places.ts'
import { noticePath } from '../../control/notice.ts'
import { createAuditSeal } from '../../domain/audit-seal.ts'
import { readKeyring, strayKeyrings } from '../../keyring.ts'
import { sizeOf } from '../progress.ts'
import { type Finding, ok, type Patient, problem, warning } from './finding.ts'

const PRIVATE = 0o077
const DAY = 86_400_000
/** Clocks of a file server may differ by so much. */
const SLACK = 5 * 60_000
/** Room that a server needs in any case. */
const LEAST_ROOM = 64 * 1024 * 1024

export async function checkDirectory({ config }: Patient): Promise<Finding[]> {
  const { dataDirectory: directory } = config
  const name = 'data directory'
  const found = await stat(directory).catch(() => undefined)
  if (!found?.isDirectory())
    return [problem(name, `${directory} is not there.`, 'Name it with --data-dir, or start one with latchkey serve.')]
  if (process.platform === 'win32') return [ok(name, `${directory} is there.`)]
  const { uid } = userInfo()
  if (found.uid !== uid)
    return [problem(name, `${directory} belongs to another account.`, `Run latchkey as its owner, or chown it.`)]
  const open = await openToOthers(directory)
  if (open.length === 0) return [ok(name, `${directory} is there, and only its owner can read it.`)]
  const advice = `chmod go-rwx ${open.map((path) => `'${path}'`).join(' ')}`
  return [problem(name, `Others can read ${open.join(', ')}.`, advice)]
}

/** What holds secrets and is not for the owner alone. */
async function openToOthers(directory: string): Promise<string[]> {
  const tls = join(directory, 'tls')
  const keys = (await readdir(tls).catch(() => [])).filter((name) => /key/i.test(name)).map((name) => join(tls, name))
  const databases = (await readdir(directory)).filter((name) => /\.(snapshot|journal)$/.test(name))
  const secret = [directory, join(directory, 'keyring.json'), noticePath(directory), join(directory, 'control.sock')]
  const all = [...secret, ...databases.map((name) => join(directory, name)), ...keys]
  const modes = await Promise.all(
    all.map(async (path) => ({ path, mode: (await stat(path).catch(() => undefined))?.mode })),
  )
  const isClosed = modes.some(({ path, mode }) => path === directory && mode !== undefined && (mode & PRIVATE) === 0)
  // Within a directory that nobody enters only the keyring and the keys are looked at, because they get copied.
  return modes
    .filter(({ path, mode }) => mode !== undefined && (mode & PRIVATE) !== 0 && (!isClosed || /key|control/.test(path)))
    .map(({ path }) => path)
}

export async function checkKeyring({ config, status }: Patient): Promise<Finding[]> {
  const name = 'keyring'
  const path = join(config.dataDirectory, 'keyring.json')
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined)
    return [problem(name, `${path} is missing or cannot be read.`, 'Restore it from a backup: latchkey restore FILE.')]
  if (text.includes('"protected_by"')) {
    const says = "The keyring is protected by the operating system's key store: only the desktop app opens it."
    return [status ? ok(name, says) : ok(name, `${says} Start that for commands that need the keys.`)]
  }
  const strays = await strayKeyrings(config.dataDirectory)
  if (strays.length > 0)
    return [
      warning(name, `There are copies of it: ${strays.join(', ')}.`, 'The next start of the server removes them.'),
    ]
  try {
    const keyring = await readKeyring(config.dataDirectory)
    if (status && keyring && createAuditSeal(keyring.auditSeal).key !== status.audit_key)
      return [
        problem(
          name,
          `${path} holds other keys than those that the server works with: its next start would fail.`,
          'Make a backup now, while it runs, and restore that: latchkey backup FILE.',
        ),
      ]
    return [ok(name, 'The keyring can be read; it is a plain file of its owner.')]
  } catch (error) {
    return [
      problem(
        name,
        error instanceof Error ? error.message : String(error),
        status ? 'The server still has the keys: latchkey backup FILE, then restore that.' : 'latchkey restore FILE',
      ),
    ]
  }
}

export async function checkDisk({ config }: Patient): Promise<Finding[]> {
  const name = 'disk'
  const { dataDirectory: directory } = config
  const room = await statfs(directory).catch(() => undefined)
  if (!room) return [warning(name, 'How much room is left is not known.', 'Look at the disk of the data directory.')]
  const free = room.bavail * room.bsize
  const names = (await readdir(directory)).filter((file) => /\.(snapshot|journal)$/.test(file))
  const sizes = await Promise.all(
    names.map(async (file) => (await stat(join(directory, file)).catch(() => undefined))?.size),
  )
  const size = sizes.reduce<number>((sum, bytes = 0) => sum + bytes, 0)
  const says = `${sizeOf(free)} are free; the database takes ${sizeOf(size)}.`
  if (free < LEAST_ROOM + size) return [problem(name, says, 'Make room: the next snapshot may not fit.')]
  if (free < LEAST_ROOM + 3 * size) return [warning(name, says, 'Make room soon.')]
  return [ok(name, says)]
}

export async function checkClock({ config, now, status, database }: Patient): Promise<Finding[]> {
  const name = 'clock'
  const names = await readdir(config.dataDirectory).catch(() => [])
  const times = await Promise.all(
    names.map(async (file) => (await stat(join(config.dataDirectory, file)).catch(() => undefined))?.mtimeMs ?? 0),
  )
  const ofDatabase = database && 'audited_at' in database ? database.audited_at : null
  const audited = status?.audited_at ? Date.parse(status.audited_at) : ofDatabase
  const newest = Math.max(0, ...times, audited ?? 0)
  const is = new Date(now).toISOString()
  if (newest > now + SLACK) {
    const behind =
      newest > now + DAY ? `${Math.round((newest - now) / DAY)} days` : `${Math.round((newest - now) / 60_000)} minutes`
    return [
      problem(
        name,
        `This machine's clock says ${is}, ${behind} before what was written last.`,
        'Set the clock: sessions, codes of authenticator apps and certificates count on it.',
      ),
    ]
  }
  return [ok(name, `This machine's clock says ${is}, later than everything that was written.`)]
}

const LEFT = {
  restoring: ['A restore did not come to its end and left', 'Remove it.'],
  restored: ['A restore did not come to its last step and left', 'Restore again, then remove it.'],
  'before-restore': ['What was there before a restore is still in', 'Remove it once nothing of it is needed.'],
} as const

export async function checkLeftovers({ config }: Patient): Promise<Finding[]> {
  const leftovers = await findLeftovers(config.dataDirectory)
  if (leftovers.length === 0) return [ok('leftovers', 'No restore has left anything.')]
  return leftovers.map(({ kind, path }) => warning('leftovers', `${LEFT[kind][0]} ${path}.`, LEFT[kind][1]))
}
