import { reactive } from 'vue'
import { LONGEST_PASSWORD, lengthOf, SHORTEST_TEMPORARY } from '../password-rules.ts'
import { useTemporaryPasswords } from '../stores/temporary-passwords.ts'
import { useText } from './use-text.ts'

/** What an administrator chooses for a temporary password: its characters, how long it lives, what it ends. */
export function useTemporaryPassword() {
  const { t } = useText()
  const options = useTemporaryPasswords()
  const chosen = reactive({ password: '', length: 16, mustChange: true, hours: options.defaultHours, developer: false })

  /** A new dialog begins: nothing is left of the one before, and the presets are asked for anew. */
  async function begin(): Promise<void> {
    const assumed = options.defaultHours
    Object.assign(chosen, { password: '', length: 16, mustChange: true, hours: assumed, developer: false })
    await options.load()
    if (chosen.hours === assumed) chosen.hours = options.defaultHours
  }

  function forget(): void {
    chosen.password = ''
  }

  function fault(): string | undefined {
    const length = lengthOf(chosen.password)
    if (length === 0) return t('checks.required')
    if (length < SHORTEST_TEMPORARY) return t('checks.tooShort', { min: SHORTEST_TEMPORARY })
    return length > LONGEST_PASSWORD ? t('checks.tooLong') : undefined
  }

  /** As the calls take it; an end is sent only where a change is required. */
  function body(password = chosen.password) {
    return {
      password,
      require_password_change: chosen.mustChange,
      ...(chosen.mustChange ? { expires_hours: chosen.hours } : {}),
    }
  }

  return { chosen, begin, forget, fault, body }
}

export type TemporaryPassword = ReturnType<typeof useTemporaryPassword>
