import { computed, ref } from 'vue'
import { type RouteLocationRaw, useRouter } from 'vue-router'
import { ARRIVALS, type ArrivalKind } from '../arrivals.ts'
import type { TextKey } from '../i18n/keys.ts'
import { type OwnPath, ownPath } from '../return-url.ts'
import { dropSecret } from '../secret-link.ts'
import { useNotices } from '../stores/notices.ts'
import { useSession } from '../stores/session.ts'
import { useExchange } from './use-exchange.ts'
import { useText } from './use-text.ts'

/** Where each leads when the flow names no path of its own. */
const TARGETS: Record<ArrivalKind, RouteLocationRaw> = {
  portal: { name: 'overview' },
  profile: { name: 'overview' },
  'developer-token': { name: 'account', hash: '#developer-tokens' },
  scopes: { name: 'account' },
  linked: { name: 'account' },
}
const NEWS: Partial<Record<ArrivalKind, TextKey>> = { scopes: 'arrival.scopesDone', linked: 'arrival.linkedDone' }

/** The end of a flow: the exchange token becomes what it stands for, and the way goes on. Without one, at once. */
export function useArrival(kind: ArrivalKind, token: string) {
  const session = useSession()
  const router = useRouter()
  const notices = useNotices()
  const { t } = useText()
  const { exchange, run } = useExchange()
  const asking = ref(false)
  const path = ref<OwnPath>()
  /** The token may still be good: the server was busy, or did not answer. */
  const retry = computed(() => exchange.error.value !== undefined && FINAL[exchange.error.value.code] !== true)

  async function arrive(): Promise<boolean> {
    if (token) {
      const exchanged = await run(token)
      if (!exchanged) return !retry.value && forget()
      forget()
      path.value = ownPath(exchanged.redirect_to)
      const news = NEWS[kind]
      if (news) notices.say(t(news))
    }
    if (kind === 'profile' && session.state === 'signed-in') asking.value = true
    else await goOn()
    return true
  }

  /** Works once; it leaves the memory of the page as well. */
  function forget(): false {
    dropSecret(ARRIVALS[kind])
    return false
  }

  /** Whom a gate holds goes to the sign-in page first, and from there to where it leads. */
  async function goOn(): Promise<void> {
    const target = path.value ?? TARGETS[kind]
    if (session.state === 'signed-in') return void (await router.replace(target))
    const returnUrl = ownPath(router.resolve(target).fullPath)
    const known = session.state === 'gated' && returnUrl && returnUrl !== '/'
    await router.replace({ name: 'login', query: known ? { returnUrl } : {} })
  }

  return { exchange, asking, retry, arrive, goOn }
}

/** Refusals after which the same exchange token opens nothing. */
const FINAL: Partial<Record<string, true>> = {
  EXCHANGE_TOKEN_INVALID: true,
  ACCOUNT_DISABLED: true,
  TOO_MANY_ACCOUNTS: true,
  INSECURE_TRANSPORT: true,
  INVALID_JSON_SCHEMA: true,
}
