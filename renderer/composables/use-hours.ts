import { lifeOf } from '../durations.ts'
import { useText } from './use-text.ts'

/** The life of a temporary password in words: hours, or days where they are whole; -1 is no end. */
export function useHours() {
  const { t, count } = useText()

  function hoursText(hours: number): string {
    if (hours === -1) return t('tempPassword.none')
    const { amount, unit } = lifeOf(hours)
    return count(unit === 'day' ? 'tempPassword.days' : 'tempPassword.hours', amount)
  }

  return { hoursText }
}
