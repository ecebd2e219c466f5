import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { desktop } from '../../api/desktop.ts'
import manifest from '../../package.json' with { type: 'json' }

// main.ts as it is built, with its real server process; Electron is a double, because its program is not at hand.

const ROOT = join(import.meta.dirname, '..', '..')

function runMain(words: string[]) {
  const child = spawn(
    process.execPath,
    ['--import', join(import.meta.dirname, 'resolve-electron.mjs'), join(ROOT, 'dist/desktop/main.js'), ...words],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, LATCHKEY_DATA_DIR: undefined } },
  )
  const lines: string[] = []
  const reader = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const told = (what: string) =>
    lines
      .filter((line) => line.startsWith('{"what"'))
      .map((line): { what: string; detail?: unknown } => JSON.parse(line))
      .filter((event) => event.what === what)
      .map(({ detail }) => detail)
  const ended = Promise.all([
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
    new Promise((resolve) => reader.once('close', resolve)),
  ]).then(([code]) => code)
  return { lines, told, ended, say: (line: string) => child.stdin.write(`${line}\n`) }
}

test('opens the set-up in a guarded window, keeps its keys by the key store, and drains before it ends', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'latchkey-main-'))
  const { told, ended, say } = runMain(['--data-dir', directory])
  await expect.poll(() => told('load').length, { timeout: 15_000 }).toBe(1)
  expect(told('load')[0]).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/setup#[\w-]{43}$/)
  expect(told('lock')).toEqual([join(directory, 'desktop')])
  for (const guard of ['sandbox', 'guarded', 'permissions asked', 'permissions checked', 'requests'])
    expect(told(guard), guard).toHaveLength(1)
  expect(told('channel')).toEqual(Object.keys(desktop).map((act) => `latchkey:${act}`))
  expect(told('window')).toMatchObject([
    { sandbox: true, contextIsolation: true, preload: join(ROOT, 'dist/preload/preload.cjs') },
  ])
  expect(await readFile(String(told('tray')[0]))).toBeDefined()
  expect(await readFile(join(directory, 'keyring.json'), 'utf8')).toContain('operating system')

  say('latchkey://open/users')
  await expect.poll(() => told('load').length).toBe(2)
  expect(told('load')[1]).toMatch(/\/users$/)
  say('quit')
  expect(await ended).toBe(0)
  expect(told('quit')).toEqual([{ held: true }, { held: false }])
  expect(await readFile(join(directory, 'latchkey.log'), 'utf8')).toContain('"event":"stopped"')
  await rm(directory, { recursive: true, force: true })
})

test('a command of the command line runs without window, lock or tray, and ends with its exit code', async () => {
  const version = runMain(['--version'])
  expect(await version.ended).toBe(0)
  expect(version.lines).toEqual([manifest.version])
  const unknown = runMain(['nonsense'])
  expect(await unknown.ended).toBe(2)
  expect(unknown.lines).toEqual([])
})
