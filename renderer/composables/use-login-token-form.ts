import { computed, reactive, ref } from 'vue'
import type { Person } from '../../api/schemas.ts'
import { client } from '../api.ts'
import { isMail } from '../field-rules.ts'
import { useSession } from '../stores/session.ts'
import { useAction } from './use-action.ts'
import { useText } from './use-text.ts'

/** What stands in the form, as typed. */
interface Draft {
  way: Way
  person: number | null
  email: string
  number: string
  /** Seconds; 0: as typed in `seconds`. */
  preset: number
  seconds: string
  reason: string
  redirect: string
}

const HOUR = 3600
const LONGEST_LIFE = 24 * HOUR

/** Seconds; 0 stands for a number of one's own. */
export const LIFE_PRESETS = [300, HOUR, LONGEST_LIFE, 0] as const

/** By what the person is named. */
export type Way = 'person' | 'email' | 'number'

/** What is chosen for a new login token, checked as the interface wants it, and sent. */
export function useLoginTokenForm() {
  const { t } = useText()
  const session = useSession()
  const draft = reactive<Draft>(empty())
  /** Where it may lead besides our own pages, for those who may read the settings. */
  const origins = ref<string[]>([])

  const create = useAction(
    () =>
      draft.way === 'email'
        ? client.loginTokens.createByEmail({ body: { login_user_email: draft.email.trim(), ...common() } })
        : client.loginTokens.create({ body: { login_user_id: targetId(), ...common() } }),
    { fields: { USER_NOT_FOUND: 'whom', TOO_MANY_ACTIVE: 'whom', REDIRECT_NOT_ALLOWED: 'redirect_to' } },
  )

  /** Whoever may not look users up names them by what he knows. */
  function firstWay(): Way {
    return session.may('USER_CONFIG') ? 'person' : 'email'
  }
  function empty(): Draft {
    const texts = { email: '', number: '', seconds: '', reason: '', redirect: '' }
    return { way: firstWay(), person: null, preset: HOUR, ...texts }
  }
  const ways = computed<Way[]>(() => (session.may('USER_CONFIG') ? ['person', 'email'] : ['email', 'number']))

  function begin(whom: Person | undefined): void {
    Object.assign(draft, empty(), whom ? { way: 'person', person: whom.user_id } : {})
    create.clear()
    void loadOrigins()
  }

  async function loadOrigins(): Promise<void> {
    if (!session.may('SETTINGS')) return
    const outcome = await client.settings.read()
    if (outcome.ok) origins.value = outcome.data.redirect_origins
  }

  function targetId(): number {
    return draft.way === 'person' ? (draft.person ?? 0) : Number(draft.number)
  }

  function common() {
    const reason = draft.reason.trim()
    const redirect = draft.redirect.trim()
    return {
      expires_in: draft.preset || Number(draft.seconds),
      ...(reason ? { reason } : {}),
      ...(redirect ? { redirect_to: redirect } : {}),
    }
  }

  const checks = {
    whom(): string | undefined {
      if (draft.way === 'person') return draft.person === null ? t('checks.required') : undefined
      if (draft.way === 'email') return isMail(draft.email) ? undefined : t('checks.email')
      return isWhole(draft.number, 2_147_483_647) ? undefined : t('loginTokens.notANumber')
    },
    expires_in(): string | undefined {
      if (draft.preset || isWhole(draft.seconds, LONGEST_LIFE)) return undefined
      return t('settings.outside', { min: 1, max: LONGEST_LIFE })
    },
  }

  return { draft, ways, origins, create, checks, begin }
}

export type LoginTokenForm = ReturnType<typeof useLoginTokenForm>

function isWhole(text: string, max: number): boolean {
  return /^\d{1,10}$/.test(text.trim()) && Number(text) >= 1 && Number(text) <= max
}
