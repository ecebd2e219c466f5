import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { readPassphrase } from '../../server/cli/typed.ts'

const MAIN = join(import.meta.dirname, '../../server/main.ts')

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-typed-'))
  return () => rm(folder, { recursive: true, force: true })
})

test.skipIf(process.platform === 'win32')('a passphrase can come through a pipe', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('mkfifo', [pipe])
  const [passphrase] = await Promise.all([readPassphrase(pipe, false), writeFile(pipe, 'seven quiet lamps\n')])
  expect(passphrase).toBe('seven quiet lamps')
})

test('a passphrase file is taken whole, or refused when it is none', async () => {
  const file = join(folder, 'file')
  await writeFile(file, 'x'.repeat(4096))
  expect(await readPassphrase(file, false)).toHaveLength(4096)
  await writeFile(file, 'x'.repeat(4097))
  await expect(readPassphrase(file, false)).rejects.toThrow('larger than 4096 bytes')
})

test.skipIf(!existsSync('/dev/full'))(
  'what standard output did not take is no success',
  async () => {
    const line = `"${process.execPath}" "${MAIN}" --version > /dev/full`
    const ended = await new Promise<{ code: unknown; err: string }>((resolve) => {
      execFile('sh', ['-c', line], (error, _, err) => resolve({ code: error?.code, err }))
    })
    expect(ended).toEqual({ code: 1, err: expect.stringMatching(/^OUTPUT_LOST: .*ENOSPC/) })
  },
  30_000,
)
