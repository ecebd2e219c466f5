import { watchEffect } from 'vue'
import type { TextKey } from '../i18n/keys.ts'
import { useText } from './use-text.ts'

/** The tab's title follows the page and the language. */
export function useTitle(key: () => TextKey): void {
  const { t } = useText()
  watchEffect(() => {
    document.title = `${t(key())} · Latchkey`
  })
}
