import type { Bar } from '../audit-bars.ts'
import { useAmount } from './use-amount.ts'
import { useText } from './use-text.ts'

const DAY = 86_400_000
/** A local day may have 23 hours. */
const SHORTEST_DAY = DAY - 2 * 3_600_000

/** The bars of the chart in words. */
export function useBarTexts() {
  const { t, count, locale } = useText()
  const { amount } = useAmount()

  /** “14:00”, “3 Nov”: short, below the chart. */
  function label({ from, to }: Bar): string {
    return format(from, isDay(from, to) ? { day: 'numeric', month: 'short' } : { hour: 'numeric', minute: '2-digit' })
  }

  /** Day, and the hour where it is one. */
  function when({ from, to }: Bar): string {
    const day = { weekday: 'short', day: 'numeric', month: 'short' } as const
    return format(from, isDay(from, to) ? day : { ...day, hour: 'numeric', minute: '2-digit' })
  }

  function counts({ signed_in, refused }: Pick<Bar, 'signed_in' | 'refused'>) {
    return {
      signed_in: count('audit.signedInCount', signed_in, { amount: amount(signed_in) }),
      refused: count('audit.refusedCount', refused, { amount: amount(refused) }),
    }
  }

  const whole = (bar: Bar) => t('audit.bar', { when: when(bar), ...counts(bar) })

  function format(time: number, options: Intl.DateTimeFormatOptions): string {
    return new Intl.DateTimeFormat(locale.value, options).format(time)
  }

  return { label, when, counts, whole }
}

const isDay = (from: number, to: number) => to - from >= SHORTEST_DAY
