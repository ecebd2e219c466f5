/** Lengths of time in words and in the units of a form. */

export const UNITS = { minutes: 60, hours: 3600, days: 86_400 } as const
export type Unit = keyof typeof UNITS

const WORDS = { minutes: 'minute', hours: 'hour', days: 'day' } as const

/** The largest unit that makes it a whole number: 86,400 seconds are 1 day, 5,400 are 90 minutes. */
export function unitOf(seconds: number): Unit {
  if (seconds % UNITS.days === 0) return 'days'
  return seconds % UNITS.hours === 0 ? 'hours' : 'minutes'
}

/** “90 minutes”, “1 day”: as the language counts. */
export function durationText(seconds: number, locale: string): string {
  const unit = unitOf(seconds)
  return wordy(seconds / UNITS[unit], WORDS[unit], locale)
}

/** The life of a temporary password: “24 hours”, “3 days”. A single day stays in hours, as people say it. */
export function lifeText(hours: number, locale: string): string {
  const { amount, unit } = lifeOf(hours)
  return wordy(amount, unit, locale)
}

/** Hours as people count them: in days where these are whole and more than one. */
export function lifeOf(hours: number): { amount: number; unit: 'hour' | 'day' } {
  const days = hours / 24
  return Number.isInteger(days) && days > 1 ? { amount: days, unit: 'day' } : { amount: hours, unit: 'hour' }
}

function wordy(amount: number, unit: 'minute' | 'hour' | 'day', locale: string): string {
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(amount)
}

/** What is left, as a clock shows it: “4:32”, “23:59:10”. */
export function clockText(seconds: number): string {
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor(seconds / 60) % 60
  const rest = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`
}
