import { describe, expect, it } from 'vitest'
import { checkValues, decodeValue, encodeValues, toBound } from '../../../server/storage/sqljs/values.ts'
import { buildScratch, createTables, openScratch } from './scratch.ts'

const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
const kept = [
  null,
  0,
  -0,
  1,
  -1,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
  0.1,
  5e-324,
  Number.MAX_VALUE,
  Infinity,
  -Infinity,
  '',
  'text',
  'quotes "\' and \\',
  'zero \0 inside',
  'line\u2028end',
  'emoji 😀',
  '\ud7ff\ue000',
  'ё中',
  '{"b":"x"}',
  0n,
  -1n,
  2n ** 53n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  new Uint8Array(),
  bytes,
  Buffer.from('buffer'),
]

describe('parameters in the journal', () => {
  it.each(kept.map((value) => [String(value), value] as const))('come back exactly: %s', (_title, value) => {
    const [checked] = checkValues([value])
    const [decoded] = JSON.parse(`[0${encodeValues([checked ?? null])}]`)
      .slice(1)
      .map(decodeValue)
    if (value instanceof Uint8Array) expect(decoded).toEqual(new Uint8Array(value))
    else expect(decoded).toBe(value)
  })

  it('are refused when they could not be kept', () => {
    for (const value of [
      NaN,
      'half \ud800',
      '\udc00 half',
      2n ** 63n,
      -(2n ** 63n) - 1n,
      undefined,
      {},
      [],
      Symbol('x'),
      new Date(0),
    ]) {
      expect(() => checkValues([value])).toThrow(expect.objectContaining({ code: 'PARAMETER_REFUSED' }))
    }
  })

  it('are copied, so that a buffer reused by the caller does not reach the disk changed', () => {
    const mine = new Uint8Array([1])
    const [copied] = checkValues([mine])
    mine[0] = 2
    expect(copied).toEqual(new Uint8Array([1]))
  })

  it('bind booleans as 0 and 1, and bigints as numbers while these are exact', () => {
    expect(checkValues([true, false])).toEqual([1, 0])
    expect([5n, 2n ** 53n].map(toBound)).toEqual([5, '9007199254740992'])
  })
})

it('every kind of value is the same after a restart', async () => {
  const directory = buildScratch()
  const first = await openScratch(directory)
  await createTables(first.db)
  for (const value of kept) await first.db.insertInto('items').values({ value }).execute()
  const before = await first.db
    .selectFrom('items')
    .selectAll()
    .select((eb) => eb.fn<string>('typeof', ['value']).as('kind'))
    .execute()
  await first.close()
  const second = await openScratch(directory)
  const after = await second.db
    .selectFrom('items')
    .selectAll()
    .select((eb) => eb.fn<string>('typeof', ['value']).as('kind'))
    .execute()
  expect(after).toEqual(before)
  expect(after).toHaveLength(kept.length)
  expect(after.map((row) => row.value).slice(3, 10)).toEqual(kept.slice(3, 10))
  expect(after.find((row) => row.value instanceof Uint8Array && row.value.length === 0)?.kind).toBe('blob')
})
