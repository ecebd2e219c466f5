import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { examine } from '../../server/cli/doctor.ts'
import { createConfig } from '../../server/config.ts'
import { startTestServer } from '../helpers/server.ts'
import { ADMIN, buildSignedIn, buildSuperuser } from '../helpers/visitor.ts'
import { backUp, PASSPHRASE } from '../server/backups.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')
/** Milliseconds after which a restore is killed, from its start on. */
const DELAYS = Array.from({ length: 8 }, (_, index) => 300 + index * 150)

let folder: string
let directory: string
let file: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-restore-'))
  directory = join(folder, 'data')
  file = join(folder, 'latchkey.age')
  const server = await startTestServer({ directory })
  await buildSuperuser(server)
  await backUp(directory, file)
  await server.stop()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function restore(): ChildProcess {
  return spawn(process.execPath, [MAIN, 'restore', file, '--replace', '--data-dir', directory], {
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, LATCHKEY_BACKUP_PASSPHRASE: PASSPHRASE },
  })
}

test('killed at any moment, a restore leaves the old directory or the new one, and the doctor names what else', async () => {
  for (const delay of DELAYS) {
    const child = restore()
    await Promise.race([once(child, 'exit'), setTimeout(delay)])
    if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
    const server = await startTestServer({ directory })
    expect(server.setupToken).toBeUndefined()
    await buildSignedIn(server, ADMIN.username, ADMIN.password)
    await server.stop()
  }
  const child = restore()
  expect(await once(child, 'exit')).toEqual([0, null])
  const left = (await readdir(folder)).filter((name) => name.startsWith('data.'))
  const findings = await examine(createConfig({ dataDirectory: directory }, {}), Date.now())
  const named = findings.filter(({ check }) => check === 'leftovers').map(({ says }) => says)
  for (const name of left)
    expect(
      named.some((says) => says.includes(name)),
      name,
    ).toBe(true)
})

test('told to stop, a restore leaves nothing behind and ends with 6', async () => {
  await writeFile(join(directory, 'mark'), '')
  const before = await readdir(folder)
  const child = restore()
  child.stderr?.once('data', () => child.kill('SIGINT'))
  expect(await once(child, 'exit')).toEqual([6, null])
  expect(await readdir(folder)).toEqual(before)
  expect(await readdir(directory)).toContain('mark')
})
