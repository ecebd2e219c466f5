import { nextTick, ref, type Ref } from 'vue'
import type { useAction } from './use-action.ts'
import { useText } from './use-text.ts'

/** A second factor as typed: six digits from the app, or a recovery code instead. */
export function useCodeEntry(
  holder: Readonly<Ref<HTMLElement | null>>,
  action: Pick<ReturnType<typeof useAction>, 'clear'>,
) {
  const { t } = useText()
  const code = ref('')
  const recovery = ref(false)

  function check(): string | undefined {
    const typed = code.value.replace(/\s/g, '')
    if (!typed) return t('checks.required')
    return recovery.value || /^\d{6}$/.test(typed) ? undefined : t('checks.code')
  }

  async function swap(): Promise<void> {
    recovery.value = !recovery.value
    code.value = ''
    action.clear()
    await nextTick()
    holder.value?.querySelector('input')?.focus()
  }

  return { code, recovery, check, swap }
}
