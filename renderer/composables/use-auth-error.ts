import { computed, onScopeDispose } from 'vue'
import { authErrorText } from '../auth-error-text.ts'
import { authErrorIn, startupTokenIn } from '../fragment.ts'
import { dropSecret } from '../secret-link.ts'
import { useLinkSecret } from './use-link-secret.ts'
import { useText } from './use-text.ts'

/** Why the flow failed that came back to this address; told until something new is begun. */
export function useAuthError(path: '/login' | '/pair/done') {
  const { t } = useText()
  const news = useLinkSecret(path)
  const code = computed(() => authErrorIn(news.value))
  const startupToken = computed(() => startupTokenIn(news.value))
  const text = computed(() => code.value && authErrorText(code.value, t))

  function clear(): void {
    dropSecret(path)
    news.value = ''
  }

  onScopeDispose(clear)
  return { code, text, startupToken, clear }
}
