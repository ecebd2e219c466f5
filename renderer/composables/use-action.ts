import { computed, ref, shallowRef } from 'vue'
import type { Outcome, Refused } from '../../api/client.ts'
import { errorText, fieldTexts, type FieldOfCode, type TextOfCode, waitOf } from '../error-text.ts'
import { useReauth } from '../stores/reauth.ts'
import { useSession } from '../stores/session.ts'
import { useCountdown } from './use-countdown.ts'
import { useText } from './use-text.ts'

/**
 * One act of a person: whether it is under way, what was refused and where, and how long to wait.
 * When the server wants to know again who is there, the question is asked and the call repeated.
 * `fields` says which field a code is about, so that it is told there; `texts` replaces a code's general text.
 */
export function useAction<Args extends readonly unknown[], O extends Outcome<unknown>>(
  call: (...args: Args) => Promise<O>,
  { fields = {}, texts = {} }: { fields?: FieldOfCode; texts?: TextOfCode } = {},
) {
  const { t } = useText()
  const session = useSession()
  const reauth = useReauth()
  const busy = ref(false)
  const error = shallowRef<Refused>()
  const countdown = useCountdown(clear)

  const minLength = computed(() => session.status?.min_password_length ?? 8)
  const fieldErrors = computed(() => fieldTexts(error.value, t, fields, minLength.value, texts))
  const text = computed(() => {
    if (!error.value || Object.keys(fieldErrors.value).length > 0) return undefined
    return errorText(error.value, t, countdown.seconds.value, minLength.value, texts)
  })

  async function run(...args: Args): Promise<O> {
    clear()
    busy.value = true
    try {
      const outcome = await reauth.around(() => call(...args))
      if (!outcome.ok) fail(outcome.error)
      return outcome
    } finally {
      busy.value = false
    }
  }

  function fail(refused: Refused): void {
    if (refused.code === 'REAUTH_REQUIRED') return
    error.value = refused
    countdown.start(waitOf(refused))
  }

  function clear(): void {
    error.value = undefined
    countdown.stop()
  }

  return { busy, error, text, fieldErrors, waiting: computed(() => countdown.seconds.value > 0), run, clear }
}

export type Action = Pick<ReturnType<typeof useAction>, 'busy' | 'error' | 'text' | 'fieldErrors' | 'waiting'>
