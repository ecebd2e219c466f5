import { useText } from './use-text.ts'

const DAY = 24

/** The life of a temporary password in words: hours, or days where they are whole; -1 is no end. */
export function useHours() {
  const { t, count } = useText()

  function hoursText(hours: number): string {
    if (hours === -1) return t('tempPassword.none')
    if (hours > DAY && hours % DAY === 0) return count('tempPassword.days', hours / DAY)
    return count('tempPassword.hours', hours)
  }

  return { hoursText }
}
