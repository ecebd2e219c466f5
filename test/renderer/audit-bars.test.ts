import { expect, test } from 'vitest'
import { type Bar, barsOf, fillBars, scaleTop } from '../../renderer/audit-bars.ts'

const HOUR = 3_600_000
const lengths = (bars: readonly Bar[]) => bars.map(({ from, to }) => (to - from) / HOUR)
const iso = (time: number | undefined) => (time === undefined ? undefined : new Date(time).toISOString())

/** What happened in every hour of UTC from a moment on. */
const everyHour = (from: string, count: number) =>
  Array.from({ length: count }, (_, hour) => ({
    at: new Date(Date.parse(from) + hour * HOUR).toISOString(),
    signed_in: 1,
    refused: 2,
  }))

/** Bars as a reader in this zone sees them. */
function inZone<T>(zone: string, act: () => T): T {
  const before = process.env['TZ']
  process.env['TZ'] = zone
  try {
    return act()
  } finally {
    if (before === undefined) delete process.env['TZ']
    else process.env['TZ'] = before
  }
}

test('24 hours end with the hour that it is now', () => {
  const bars = barsOf('day', Date.parse('2026-11-22T12:34:56Z'))
  expect(lengths(bars)).toEqual(Array.from({ length: 24 }, () => 1))
  expect([iso(bars[0]?.from), iso(bars.at(-1)?.to)]).toEqual(['2026-11-21T13:00:00.000Z', '2026-11-22T13:00:00.000Z'])
})

test.each([
  ['in spring', '2026-03-31T10:00:00Z', '2026-03-24T23:00:00.000Z', [24, 24, 24, 24, 23, 24, 24]],
  ['in autumn', '2026-10-27T10:00:00Z', '2026-10-20T22:00:00.000Z', [24, 24, 24, 24, 25, 24, 24]],
])('days in Berlin begin at midnight there, also when the clocks change %s', (_when, now, first, hours) => {
  const bars = inZone('Europe/Berlin', () => barsOf('week', Date.parse(now)))
  expect(iso(bars[0]?.from)).toBe(first)
  expect(lengths(bars)).toEqual(hours)
  const filled = fillBars(bars, everyHour(first, 200))
  expect(filled.map(({ signed_in }) => signed_in)).toEqual(hours)
  expect(filled.map(({ refused }) => refused)).toEqual(hours.map((n) => 2 * n))
})

test('days in India take whole hours of UTC, each of them once', () => {
  const bars = inZone('Asia/Kolkata', () => barsOf('month', Date.parse('2026-11-22T12:00:00Z')))
  expect(bars).toHaveLength(30)
  // Midnight of the 22nd was at 18:30 UTC: the hour that began at 18:00 is the 21st's.
  expect([iso(bars.at(-1)?.from), iso(bars.at(-1)?.to)]).toEqual([
    '2026-11-21T19:00:00.000Z',
    '2026-11-22T19:00:00.000Z',
  ])
  for (const [place, bar] of bars.entries()) if (place > 0) expect(bar.from).toBe(bars[place - 1]?.to)
  const hours = everyHour('2026-11-21T18:00:00Z', 2)
  expect(fillBars(bars, hours).slice(-2)).toMatchObject([{ signed_in: 1 }, { signed_in: 1 }])
})

test('what lies outside of the range is not counted, and the empty bars stay as they are', () => {
  const bars = barsOf('day', Date.parse('2026-11-22T12:00:00Z'))
  const filled = fillBars(bars, everyHour('2026-11-21T12:00:00Z', 48))
  expect(filled.reduce((sum, { signed_in }) => sum + signed_in, 0)).toBe(24)
  expect(bars.every(({ signed_in }) => signed_in === 0)).toBe(true)
})

test.each([
  [0, 4],
  [4, 4],
  [5, 6],
  [7, 10],
  [11, 20],
  [61, 100],
  [101, 200],
  [999, 1000],
])('a scale for %i ends at %i, and its half is a whole number', (most, top) => {
  expect(scaleTop(most)).toBe(top)
  expect(Number.isInteger(top / 2)).toBe(true)
})
