import { expect } from 'vitest'
import type { ImportRow, ImportStatus } from '../../api/user-imports.ts'
import type { TestServer } from '../helpers/server.ts'
import { codeOf, dataOf, type Visitor } from '../helpers/visitor.ts'

export type Cells = Partial<Omit<ImportRow, 'line'>>

/** Lines of a file with a header: the first is line 2. */
export function linesOf(cells: readonly Cells[]): ImportRow[] {
  return cells.map((row, index) => ({ line: index + 2, username: '', ...row }))
}

/** So many sound lines, of names that begin alike. */
export function manyLines(count: number, prefix: string): ImportRow[] {
  return linesOf(
    Array.from({ length: count }, (_, index) => ({
      username: `${prefix}${index}`,
      email: `${prefix}${index}@example.org`,
    })),
  )
}

/** Begins an import and sends its lines, 500 in a part. */
export async function receive(visitor: Visitor, rows: readonly ImportRow[]): Promise<{ import_id: string }> {
  const params = dataOf(await visitor.client.userImports.begin())
  for (let part = 0; part * 500 < rows.length; part++) {
    const some = rows.slice(part * 500, (part + 1) * 500)
    dataOf(await visitor.client.userImports.addPart({ params, body: { part, rows: some } }))
  }
  return params
}

export async function statusOf(visitor: Visitor, params: { import_id: string }): Promise<ImportStatus> {
  return dataOf(await visitor.client.userImports.read({ params }))
}

/** The status once it is one of these. */
export async function until(
  visitor: Visitor,
  params: { import_id: string },
  ...states: ImportStatus['state'][]
): Promise<ImportStatus> {
  await expect.poll(async () => (await statusOf(visitor, params)).state, { interval: 5 }).toBeOneOf(states)
  return statusOf(visitor, params)
}

/** Sends lines and answers what the check finds. */
export async function check(visitor: Visitor, rows: readonly ImportRow[]) {
  const params = await receive(visitor, rows)
  dataOf(await visitor.client.userImports.check({ params }))
  return { params, status: await until(visitor, params, 'checked') }
}

/** The code of the refusal, or the status at the end of the run. */
export async function run(visitor: Visitor, params: { import_id: string }, skip_faulty = false) {
  const begun = await visitor.client.userImports.run({ params, body: { skip_faulty } })
  return begun.ok ? until(visitor, params, 'done', 'undone') : codeOf(begun)
}

/** Lets so many batches of users through and holds the next one until it is let go. */
export function holdAfter(server: TestServer, batches: number) {
  const imports = server.storage.userImports
  const insert = imports.insert
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  let calls = 0
  imports.insert = async (...args) => {
    if (calls++ === batches) {
      reached.resolve()
      await released.promise
    }
    return insert(...args)
  }
  return {
    reached: reached.promise,
    release() {
      imports.insert = insert
      released.resolve()
    },
  }
}

/** How many users have a name that begins like this. */
export async function countOf(server: TestServer, prefix: string): Promise<number> {
  return (await server.storage.users.list({ q: prefix, sort: 'username', limit: 1 })).total
}
