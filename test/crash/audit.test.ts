import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ADMIN, buildVisitor, dataOf, type Visitor } from '../helpers/visitor.ts'
import { allEntries, exportLines, faultsIn } from '../server/audit-exports.ts'
import { startChild } from './child.ts'

const WRITERS = 6

it('killed at any moment, the server comes back with every act that it answered in an unbroken audit', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-crash-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const answered = new Set<string>()
  let server = await startChild(directory)
  let visitor = buildVisitor(server.url)
  const setup_token = (await server.next()).token
  dataOf(await visitor.client.auth.setup({ body: { setup_token, ...ADMIN, confirm_password: ADMIN.password } }))

  for (let round = 0; round < 4; round++) {
    const writers = Array.from({ length: WRITERS }, (_, writer) => actUntilKilled(visitor, writer, answered))
    await new Promise((resolve) => setTimeout(resolve, 150 + 130 * round))
    server.child.kill('SIGKILL')
    await once(server.child, 'exit')
    await Promise.all(writers)

    server = await startChild(directory)
    visitor = buildVisitor(server.url)
    dataOf(await visitor.client.auth.login({ body: ADMIN }))
    const entries = await allEntries(visitor)
    const written = new Set(entries.map(({ request_id }) => request_id))
    expect([...answered].filter((request_id) => !written.has(request_id))).toEqual([])
    expect(await faultsIn(directory, 'jsonl', await exportLines(visitor, 'jsonl'))).toEqual([])
    expect(entries.filter(({ event }) => event === 'server_started')).toHaveLength(round + 2)
  }
  expect(answered.size).toBeGreaterThan(40)
})

/** Changes a setting again and again and notes each answer, until there is none. */
async function actUntilKilled({ http }: Visitor, writer: number, answered: Set<string>): Promise<void> {
  try {
    for (let turn = 0; ; turn++) {
      const answer = await http.patch('/api/v2/settings', { min_password_length: 8 + ((turn + writer) % 8) })
      if (answer.status === 200) answered.add(String(answer.headers['x-request-id']))
    }
  } catch {
    // The connection broke: this one was never answered.
  }
}
