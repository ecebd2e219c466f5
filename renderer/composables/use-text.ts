import { useI18n } from 'vue-i18n'
import type { TextKey } from '../i18n/keys.ts'

type Named = Record<string, string | number>

/** The texts of the current language, by keys that are checked: a misspelt one does not compile. */
export function useText() {
  const { t: translate, locale } = useI18n({ useScope: 'global' })

  function t(key: TextKey, named: Named = {}): string {
    return translate(key, named)
  }

  /** A text whose form follows the number, which it may show as `{n}`. */
  function count(key: TextKey, n: number, named: Named = {}): string {
    return translate(key, { ...named, n }, n)
  }

  return { t, count, locale }
}

export type Translate = ReturnType<typeof useText>['t']
