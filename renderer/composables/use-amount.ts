import { useText } from './use-text.ts'

/** Numbers as the reader's language writes them; of what was counted only so far, with a plus: “1,000+”. */
export function useAmount() {
  const { locale } = useText()

  function amount(n: number, exact = true): string {
    return `${new Intl.NumberFormat(locale.value).format(n)}${exact ? '' : '+'}`
  }

  return { amount }
}
