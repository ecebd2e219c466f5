import { onScopeDispose, watch } from 'vue'

/** While something would be lost, the browser asks before the tab is closed or loaded anew. */
export function useLeaveGuard(needed: () => boolean): void {
  function hold(event: BeforeUnloadEvent): void {
    event.preventDefault()
  }
  function release(): void {
    window.removeEventListener('beforeunload', hold)
  }

  watch(needed, (guarded) => {
    release()
    if (guarded) window.addEventListener('beforeunload', hold)
  })
  onScopeDispose(release)
}
