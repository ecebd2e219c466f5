import { expect, test } from 'vitest'
import { table } from '../../api/index.ts'
import { thinTable } from '../../renderer/build/thin-table.ts'

test('the page gets verb and path of every endpoint, and nothing else of the table', () => {
  const code = thinTable(table).load('/somewhere/api/index.ts') ?? ''
  const thin: unknown = JSON.parse(code.replace('export const table = ', ''))
  const expected = Object.entries(table).map(([area, entries]) => [
    area,
    Object.fromEntries(Object.entries(entries).map(([name, { method, path }]) => [name, { method, path }])),
  ])
  expect(thin).toEqual(Object.fromEntries(expected))
})

test('other modules are left alone', () => {
  expect(thinTable(table).load('/somewhere/api/auth.ts')).toBeNull()
})
