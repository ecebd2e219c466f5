import { ref } from 'vue'

/** A question with yes and no as a promise; a `ConfirmDialog` bound to `open` shows it. */
export function useConfirm() {
  const open = ref(false)
  let answer: ((yes: boolean) => void) | undefined

  function ask(): Promise<boolean> {
    open.value = true
    return new Promise((resolve) => (answer = resolve))
  }

  function settle(yes: boolean): void {
    open.value = false
    answer?.(yes)
    answer = undefined
  }

  return { open, ask, settle }
}
