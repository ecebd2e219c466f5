import { onScopeDispose, ref, type Ref } from 'vue'
import { takeSetupToken } from '../setup-link.ts'

/** The setup token of the link that was opened, kept in memory only. */
export function useSetupToken(): Ref<string> {
  const token = ref(takeSetupToken())
  function look(): void {
    token.value = takeSetupToken()
  }
  window.addEventListener('hashchange', look)
  onScopeDispose(() => window.removeEventListener('hashchange', look))
  return token
}
