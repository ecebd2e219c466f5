import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqljs } from '../../../server/storage/sqljs/open.ts'
import { buildScratch, openScratch } from './scratch.ts'

const locked = expect.objectContaining({ code: 'DATA_DIR_LOCKED' })
const lockModule = new URL('../../../server/storage/sqljs/lock.ts', import.meta.url).href

it('a second opening in the same process is refused, also by another name, until the first is closed', async () => {
  const directory = buildScratch()
  const { close } = await openScratch(directory)
  await expect(openSqljs({ directory })).rejects.toThrow(locked)
  const link = join(buildScratch(), 'link')
  symlinkSync(directory, link)
  await expect(openSqljs({ directory: link })).rejects.toThrow(locked)
  await close()
  await close()
  await openScratch(directory)
})

it('another process is kept out, and kill -9 leaves no stale lock and nothing on stderr', async () => {
  const directory = buildScratch()
  const program = `const { lockDirectory } = await import(${JSON.stringify(lockModule)}); lockDirectory(process.argv[1]); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, directory], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  await once(child.stdout, 'data')
  await expect(openSqljs({ directory })).rejects.toThrow(locked)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await openScratch(directory)
  expect(complaints).toBe('')
})

it('creates the directory for its owner only, and its files too', async () => {
  const directory = join(buildScratch(), 'deep', 'data')
  await openScratch(directory)
  if (process.platform === 'win32') return
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(statSync(join(directory, '00000001.journal')).mode & 0o777).toBe(0o600)
})

it('a path that is no directory is refused with a code', async () => {
  const file = join(buildScratch(), 'file')
  writeFileSync(file, '')
  await expect(openSqljs({ directory: file })).rejects.toMatchObject({ code: 'DATA_DIR_UNREADABLE' })
})
