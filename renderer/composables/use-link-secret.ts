import { onScopeDispose, ref, type Ref } from 'vue'
import { useRouter } from 'vue-router'
import { type SecretPath, takeSecret } from '../secret-link.ts'

/** The secret of the link that was opened, kept in memory only. */
export function useLinkSecret(path: SecretPath): Ref<string> {
  const router = useRouter()
  const secret = ref(takeSecret(path))

  /** A link pasted over the open page: the router has seen it, and shall forget it. */
  function look(): void {
    secret.value = takeSecret(path)
    void router.replace({ path, query: router.currentRoute.value.query, force: true })
  }
  window.addEventListener('hashchange', look)
  onScopeDispose(() => window.removeEventListener('hashchange', look))
  return secret
}
