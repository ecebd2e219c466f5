import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, it, onTestFinished } from 'vitest'
import { ADMIN, buildVisitor, dataOf } from '../helpers/visitor.ts'
import { check, manyLines, statusOf, until } from '../server/imports.ts'

const program = join(import.meta.dirname, '../../server/main.ts')

/** The lines that a server prints, from one that was started on this directory. */
async function startChild(directory: string) {
  const args = ['serve', '--json', '--port', '0', '--data-dir', directory, '--log-file', join(directory, 'log')]
  const child: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  if (!child.stdout) throw new Error('a child without output')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<{ url: string; token: string }> => JSON.parse((await lines.next()).value ?? '')
  return { child, url: (await next()).url, next }
}

it('killed in the middle of an import, the server comes back without any of its users', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-crash-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const first = await startChild(directory)
  const visitor = buildVisitor(first.url)
  const setup_token = (await first.next()).token
  dataOf(await visitor.client.auth.setup({ body: { setup_token, ...ADMIN, confirm_password: ADMIN.password } }))
  const { params } = await check(visitor, manyLines(10_000, 'crashed'))
  dataOf(await visitor.client.userImports.run({ params, body: { skip_faulty: false } }))
  await expect.poll(async () => (await statusOf(visitor, params)).imported, { interval: 2 }).toBeGreaterThan(0)
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')

  const { url } = await startChild(directory)
  const again = buildVisitor(url)
  dataOf(await again.client.auth.login({ body: ADMIN }))
  expect(await until(again, params, 'undone')).toMatchObject({ reason: 'interrupted', imported: 0, rows: 10_000 })
  expect(dataOf(await again.client.users.list()).items.map(({ username }) => username)).toEqual([ADMIN.username])
})
