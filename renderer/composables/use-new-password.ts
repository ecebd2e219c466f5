import { computed, ref } from 'vue'
import { LONGEST_PASSWORD, lengthOf } from '../password-rules.ts'
import { useSession } from '../stores/session.ts'
import { useText } from './use-text.ts'

/** A new password and its repetition, checked as typed; faults appear once they are not premature. */
export function useNewPassword() {
  const { t } = useText()
  const session = useSession()
  const password = ref('')
  const confirm = ref('')
  /** The first field was left, or submit was tried: now a short password is a fault and no longer just unfinished. */
  const visited = ref(false)
  const tried = ref(false)

  const min = computed(() => session.status?.min_password_length ?? 8)
  const fault = computed(() => {
    const length = lengthOf(password.value)
    if (length === 0) return t('checks.required')
    if (length < min.value) return t('checks.tooShort', { min: min.value })
    return length > LONGEST_PASSWORD ? t('checks.tooLong') : undefined
  })
  const newError = computed(() =>
    visited.value || lengthOf(password.value) > LONGEST_PASSWORD ? fault.value : undefined,
  )
  const differs = computed(() => password.value !== confirm.value)
  const confirmError = computed(() => {
    if (!confirm.value) return tried.value ? t('checks.required') : undefined
    const unfinished = password.value.startsWith(confirm.value) && !tried.value
    return differs.value && !unfinished ? t('checks.differ') : undefined
  })
  const ready = computed(() => !fault.value && !differs.value)

  /** Call on submit: shows every fault; true when there is none. */
  function check(): boolean {
    visited.value = true
    tried.value = true
    return ready.value
  }

  function reset(): void {
    password.value = ''
    confirm.value = ''
    visited.value = false
    tried.value = false
  }

  return { password, confirm, visited, newError, confirmError, ready, check, reset }
}
