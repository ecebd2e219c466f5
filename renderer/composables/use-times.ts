import { useText } from './use-text.ts'

const STEPS = [
  ['second', 60],
  ['minute', 60],
  ['hour', 24],
  ['day', 30],
  ['month', 12],
] as const

/** Times in the reader's zone and language. */
export function useTimes() {
  const { locale } = useText()

  function exact(iso: string): string {
    return new Intl.DateTimeFormat(locale.value, { dateStyle: 'full', timeStyle: 'short' }).format(new Date(iso))
  }

  /** To the second, for lists in which the order of what happened matters. */
  function moment(iso: string): string {
    return new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso))
  }

  /** The day alone, as it stands within a sentence. */
  function day(iso: string): string {
    return new Intl.DateTimeFormat(locale.value, { dateStyle: 'long' }).format(new Date(iso))
  }

  function relative(iso: string, now = Date.now()): string {
    const format = new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' })
    let amount = (Date.parse(iso) - now) / 1000
    for (const [unit, size] of STEPS) {
      if (Math.abs(amount) < size - 0.5) return format.format(Math.round(amount), unit)
      amount /= size
    }
    return format.format(Math.round(amount), 'year')
  }

  return { exact, moment, day, relative }
}
