import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ADMIN, buildVisitor, dataOf } from '../helpers/visitor.ts'
import { check, manyLines, statusOf, until } from '../server/imports.ts'
import { startChild } from './child.ts'

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
