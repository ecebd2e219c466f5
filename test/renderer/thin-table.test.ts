import { expect, test } from 'vitest'
import type { Endpoint } from '../../api/endpoint.ts'
import { table } from '../../api/index.ts'
import { thinTable } from '../../renderer/build/thin-table.ts'

test('the page gets verb, path and kind of answer of every endpoint, and nothing else of the table', () => {
  const code = thinTable(table).load('/somewhere/api/index.ts') ?? ''
  const seen: unknown = JSON.parse(code.replace('export const table = ', ''))
  const expected = Object.entries(table).map(([area, entries]) => [
    area,
    Object.fromEntries(Object.entries<Endpoint>(entries).map(([name, entry]) => [name, thin(entry)])),
  ])
  expect(seen).toEqual(Object.fromEntries(expected))
})

function thin({ method, path, answers }: Endpoint) {
  return { method, path, ...(answers && { answers }) }
}

test('other modules are left alone', () => {
  expect(thinTable(table).load('/somewhere/api/auth.ts')).toBeNull()
})
