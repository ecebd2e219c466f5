import { createHash, randomBytes } from 'node:crypto'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { isMountPoint } from '../../server/backup/fitness.ts'
import { finishRestore, restorePlaces } from '../../server/backup/places.ts'
import { examine } from '../../server/cli/doctor.ts'
import { runCommandLine } from '../../server/cli/run.ts'
import { createConfig } from '../../server/config.ts'
import { openKeyring } from '../../server/keyring.ts'
import { startTestServer, type TestServer } from '../helpers/server.ts'
import { buildSuperuser } from '../helpers/visitor.ts'
import { backUp, besides, forge, openWithLibraries, restoreTo } from './backups.ts'

let server: TestServer
let source: string
let file: string
let keysAlone: string
let folder: string
let directory: string
beforeAll(async () => {
  server = await startTestServer()
  await buildSuperuser(server)
  source = await mkdtemp(join(tmpdir(), 'latchkey-backups-'))
  file = join(source, 'all.age')
  keysAlone = join(source, 'keys.age')
  await backUp(server.directory, file)
  await backUp(server.directory, keysAlone, { content: 'keys' })
})
afterAll(async () => {
  await server.end()
  await rm(source, { recursive: true, force: true })
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-safety-'))
  directory = join(folder, 'data')
  return () => rm(folder, { recursive: true, force: true })
})

/** A backup with other parts than those that were packed, and a list that agrees. */
async function repacked(from: string, others: Record<string, Buffer>, says: object = {}): Promise<string> {
  const parts = await openWithLibraries(from)
  const manifest = JSON.parse(parts.get('manifest.json')?.toString() ?? '')
  for (const [name, content] of Object.entries(others)) {
    parts.set(name, content)
    const part = manifest.parts.find((one: { name: string }) => one.name === name)
    Object.assign(part, { bytes: content.length, sha256: createHash('sha256').update(content).digest('hex') })
  }
  parts.set('manifest.json', Buffer.from(JSON.stringify({ ...manifest, ...says })))
  const made = join(folder, `repacked-${randomBytes(4).toString('hex')}.age`)
  await forge(
    made,
    [...parts].map(([name, content]) => ({ name, content })),
  )
  return made
}

/** A restore during which something happens. */
function restoreWhile(happens: () => void | Promise<void>, more: { replace?: boolean } = {}) {
  let doing: Promise<void> | undefined
  const step = (what: string) => {
    if (what === 'ending') doing = Promise.resolve(happens())
  }
  return restoreTo(directory, file, { ...more, progress: { step, at: () => {} } }).finally(() => doing)
}

describe('while a restore is under way', () => {
  test.each(['missing', 'empty'])('no server can start in a data directory that was %s', async (was) => {
    if (was === 'empty') await mkdir(directory)
    let code: unknown
    await restoreWhile(async () => {
      code = await startTestServer({ directory }).then(
        () => 'started',
        (error: { code: string }) => error.code,
      )
    })
    expect(code).toBe('DATA_DIR_LOCKED')
    expect(await besides(directory)).toEqual(['data'])
    expect(await readdir(directory)).toContain('keyring.json')
  })

  test('what appears in a directory that was empty is not put aside without --replace', async () => {
    const doing = restoreWhile(() => writeFile(join(directory, 'precious'), '1'))
    await expect(doing).rejects.toThrow('--replace')
    expect(await readFile(join(directory, 'precious'), 'utf8')).toBe('1')
    expect(await besides(directory)).toEqual(['data'])
  })

  test('a second one into the same directory is refused, and does not take the scratch of the first', async () => {
    let code: unknown
    await restoreWhile(async () => {
      code = await restoreTo(directory, file).catch((error: { code: string }) => error.code)
    })
    expect(code).toBe('DATA_DIR_LOCKED')
    expect(restorePlaces(directory, 0).restoring).not.toBe(restorePlaces(directory, 0).restoring)
  })
})

describe('a restore refuses', () => {
  test('a directory that holds no Latchkey, even with --replace, and leaves no lock in it', async () => {
    await mkdir(directory)
    await writeFile(join(directory, 'thesis.txt'), '1')
    await expect(restoreTo(directory, file, { replace: true })).rejects.toThrow('holds no Latchkey')
    expect(await readdir(directory)).toEqual(['thesis.txt'])
  })

  test('the home directory, the current one, the root, and what holds them', async () => {
    for (const place of [homedir(), process.cwd(), dirname(process.cwd()), '/'])
      await expect(restoreTo(place, file, { replace: true })).rejects.toThrow(/would be moved/)
  })

  test('a mount point, before any work', async () => {
    expect(await isMountPoint('/dev')).toBe(true)
    expect(await isMountPoint(folder)).toBe(false)
    expect(await isMountPoint(join(folder, 'nothing'))).toBe(false)
  })

  test('keys that cannot be read, or that only the key store of another machine opens', async () => {
    const wrapped = '{"version":1,"protected_by":"operating system","wrapped":"AAAA"}'
    for (const text of ['garbage', wrapped]) {
      const made = await repacked(keysAlone, { 'keyring.json': Buffer.from(text) })
      await expect(restoreTo(directory, made)).rejects.toMatchObject({ code: 'DAMAGED' })
    }
    expect(await readdir(folder)).not.toContain('data')
  })

  test('keys alone over a directory with a database', async () => {
    const own = await startTestServer({ directory })
    await own.stop()
    const files = await readdir(directory)
    await expect(restoreTo(directory, keysAlone, { replace: true })).rejects.toThrow('keys alone')
    expect(await readdir(directory)).toEqual(files)
    expect(await besides(directory)).toEqual(['data'])
  })

  test('keys of another database, though no secret was ever sealed with them', async () => {
    const other = join(folder, 'other')
    await openKeyring(other, randomBytes, true)
    const keys = await readFile(join(other, 'keyring.json'))
    const made = await repacked(file, { 'keyring.json': keys })
    await expect(restoreTo(directory, made)).rejects.toMatchObject({ code: 'DAMAGED' })
  })

  test('an empty database, and a version that would steer the terminal', async () => {
    const empty = await repacked(file, { 'database.sqlite': Buffer.alloc(0) })
    const loud = await repacked(file, {}, { version: '\u001b[2J1.0' })
    for (const made of [empty, loud])
      await expect(restoreTo(directory, made)).rejects.toMatchObject({ code: 'NOT_A_BACKUP' })
  })
})

describe('what an earlier restore had ready', () => {
  test('is not adopted where nothing had been moved aside for it', async () => {
    const { restored } = restorePlaces(directory, Date.now())
    await mkdir(restored, { mode: 0o700 })
    expect(await finishRestore(directory)).toBeUndefined()
  })

  test('is removed by the next one that succeeds', async () => {
    const { restored, before } = restorePlaces(directory, Date.now())
    await mkdir(restored)
    await mkdir(before)
    await restoreTo(directory, file)
    expect(await besides(directory)).toEqual([basename(before), 'data'].toSorted())
    await rename(directory, join(folder, 'elsewhere'))
    expect(await finishRestore(directory)).toBeUndefined()
  })

  test('is not adopted when another account owns it', async ({ skip }) => {
    const { getuid } = process
    if (!getuid) return skip()
    const { restored, before } = restorePlaces(directory, Date.now())
    await mkdir(restored)
    await mkdir(before)
    const uid = vi.spyOn(process, 'getuid').mockReturnValue(getuid() + 1)
    expect(await finishRestore(directory)).toBeUndefined()
    uid.mockRestore()
    expect(await finishRestore(directory)).toBe(restored)
  })
})

describe('a data directory named by nothing', () => {
  test('in a variable is the default one, never the current directory', () => {
    const env = { LATCHKEY_DATA_DIR: '', LATCHKEY_DATABASE: '', LATCHKEY_LOG_FILE: '', HOME: folder }
    expect(createConfig({}, env)).toEqual(createConfig({}, { HOME: folder }))
    expect(createConfig({ dataDirectory: '' }, {}).dataDirectory).not.toBe(process.cwd())
  })

  test.each([[['--data-dir', '']], [['--data-dir=']]])('in an option is wrong usage: %j', async (args) => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {})
    const codes = [
      await runCommandLine(['restore', file, '--replace', ...args]),
      await runCommandLine(['serve', ...args]),
    ]
    said.mockRestore()
    expect(codes).toEqual([2, 2])
  })
})

describe('keys on the disk that are not those of the server', () => {
  test('are found by the doctor, are not what a backup holds, and keep the server from its next start', async () => {
    const own = await startTestServer({ directory })
    await buildSuperuser(own)
    const path = join(directory, 'keyring.json')
    const right = await readFile(path)
    await openKeyring(join(folder, 'other'), randomBytes, true)
    await cp(join(folder, 'other', 'keyring.json'), path)
    const findings = await examine(createConfig({ dataDirectory: directory }, {}), own.clock())
    expect(findings.find(({ check }) => check === 'keyring')).toMatchObject({ level: 'problem' })
    const made = join(folder, 'made.age')
    await backUp(directory, made)
    expect((await openWithLibraries(made)).get('keyring.json')).toEqual(right)
    await own.stop()
    await expect(startTestServer({ directory })).rejects.toThrow(/keyring\.json does not belong to this database/)
    await writeFile(path, right)
    await (await startTestServer({ directory })).stop()
  })
})

test('the doctor leaves no lock where there was none', async () => {
  await restoreTo(directory, file)
  await rm(join(directory, 'lock'), { force: true })
  const files = await readdir(directory)
  const findings = await examine(createConfig({ dataDirectory: directory }, {}), Date.now())
  expect(findings.find(({ check }) => check === 'database')).toMatchObject({ level: 'ok' })
  expect(await readdir(directory)).toEqual(files)
})
