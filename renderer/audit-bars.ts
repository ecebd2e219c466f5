/** Sign-ins and refusals of the hours of UTC, as bars in the reader's zone. */

export interface Hour {
  at: string
  signed_in: number
  refused: number
}

/** What happened from `from` on and before `to`, in milliseconds; both are whole hours of UTC. */
export interface Bar {
  from: number
  to: number
  signed_in: number
  refused: number
}

export const RANGE_NAMES = ['day', 'week', 'month', 'quarter'] as const
export type Range = (typeof RANGE_NAMES)[number]

/** The first is shown by its hours, the others by days. */
const DAYS: Record<Range, number> = { day: 1, week: 7, month: 30, quarter: 90 }

const HOUR = 3_600_000

/** The empty bars of a range that ends with the hour, or the day, that it is now. */
export function barsOf(range: Range, now: number): Bar[] {
  return range === 'day' ? hoursUntil(now) : daysUntil(now, DAYS[range])
}

/** Counts the hours into their bars. */
export function fillBars(bars: readonly Bar[], hours: readonly Hour[]): Bar[] {
  const filled = bars.map((bar) => ({ ...bar }))
  for (const { at, signed_in, refused } of hours) {
    const time = Date.parse(at)
    const bar = filled.find(({ from, to }) => from <= time && time < to)
    if (!bar) continue
    bar.signed_in += signed_in
    bar.refused += refused
  }
  return filled
}

function hoursUntil(now: number): Bar[] {
  const end = Math.floor(now / HOUR) * HOUR + HOUR
  return Array.from({ length: 24 }, (_, place) => emptyBar(end - (24 - place) * HOUR, end - (23 - place) * HOUR))
}

/**
 * Local days, also those of 23 or 25 hours. Where midnight is not a whole hour of UTC, as in India, the hour in which the
 * day changes counts to the day before, so that a bar and the list of its entries agree.
 */
function daysUntil(now: number, days: number): Bar[] {
  const today = new Date(now)
  const midnight = (place: number) =>
    wholeHour(new Date(today.getFullYear(), today.getMonth(), today.getDate() - days + 1 + place).getTime())
  return Array.from({ length: days }, (_, place) => emptyBar(midnight(place), midnight(place + 1)))
}

const wholeHour = (time: number) => Math.ceil(time / HOUR) * HOUR
const emptyBar = (from: number, to: number): Bar => ({ from, to, signed_in: 0, refused: 0 })

/** The top of a scale that holds this number, and whose half is a whole one: 4, 6, 10, 20, 40 … */
export function scaleTop(most: number): number {
  if (most <= 4) return 4
  const power = 10 ** Math.floor(Math.log10(most))
  return [1, 2, 4, 6, 10].map((step) => step * power).find((top) => top >= most) ?? most
}
