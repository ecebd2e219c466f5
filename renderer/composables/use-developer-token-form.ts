import { computed, reactive } from 'vue'
import { client } from '../api.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useAuthorization } from './use-authorization.ts'
import { useText } from './use-text.ts'

/** Who stands behind it: the provider of the ATProto account, by a grant of its own, or this server alone. */
type Way = 'provider' | 'local'

/** What stands in the form, as typed. */
interface Draft {
  name: string
  way: Way
  /** Days; 0: as typed in `days`. */
  preset: number
  days: string
}

const LONGEST = 365
const USUAL = 90

/** Days; 0 stands for a number of one's own. */
export const LIFE_PRESETS = [7, 30, USUAL, LONGEST, 0] as const

/** What is chosen for a new developer token, and the two ways to get it. */
export function useDeveloperTokenForm() {
  const { t } = useText()
  const session = useSession()
  /** The provider is asked only where its account is behind this session, and can send this browser back to us. */
  const ways = computed<Way[]>(() => {
    const { atproto_enabled = false, atproto_pairing = true } = session.status ?? {}
    const byProvider = session.me?.auth_source === 'atproto' && atproto_enabled && !atproto_pairing
    return byProvider ? ['provider', 'local'] : ['local']
  })
  const draft = reactive<Draft>(empty())
  const texts = { TOO_MANY_ACTIVE: 'developerTokens.tooMany' } as const
  const make = useAction(() => client.auth.createDeveloperToken({ body: body() }), { texts })
  const ask = useAuthorization(() => client.auth.startDeveloperToken({ body: body() }), { texts })

  function empty(): Draft {
    return { name: '', way: ways.value[0] ?? 'local', preset: USUAL, days: '' }
  }

  function begin(): void {
    Object.assign(draft, empty())
    make.clear()
    ask.clear()
  }

  function body() {
    const name = draft.name.trim()
    return { ...(name ? { name } : {}), expires_in_days: draft.preset || Number(draft.days) }
  }

  const checks = {
    expires_in_days: () => (draft.preset || isLife(draft.days) ? undefined : t('settings.outside', LIFE_RANGE)),
  }

  return { draft, ways, make, ask, checks, begin }
}

export const LIFE_RANGE = { min: 1, max: LONGEST }

function isLife(text: string): boolean {
  return /^\d{1,3}$/.test(text.trim()) && Number(text) >= LIFE_RANGE.min && Number(text) <= LIFE_RANGE.max
}
