import { onScopeDispose, ref } from 'vue'
import { desktopApp } from '../desktop.ts'
import { redirectTarget } from '../redirect-target.ts'

/** Leaves the page for another address. Coming back by the browser's own button, the page is as it was, and nobody is leaving. */
export function useLeaving() {
  const leaving = ref(false)

  function leave(address: string): void {
    // The window of the desktop app stays where it is, and has the system's browser go there.
    leaving.value = desktopApp() === undefined
    location.assign(address)
  }

  /** To the provider of an account: an address of the web, never one that a browser would run. */
  function leaveFor(address: string): void {
    const target = redirectTarget(address)
    if (target && 'elsewhere' in target) leave(target.elsewhere)
  }

  function stay(): void {
    leaving.value = false
  }
  window.addEventListener('pageshow', stay)
  onScopeDispose(() => window.removeEventListener('pageshow', stay))

  return { leaving, leave, leaveFor }
}
