import { onScopeDispose } from 'vue'
import { useSession } from '../stores/session.ts'

const EVERY = 60_000
/** After these, somebody else may be signed in. */
const TELLING: ReadonlySet<string> = new Set(['signedIn', 'signOut', 'signOutAll', 'switchTo'])

/** Asks the server who is signed in when the page comes back into view, now and then, and when another tab signs in or out. */
export function useWakeUp(): void {
  const session = useSession()
  const channel = new BroadcastChannel('latchkey.session')

  function look(): void {
    if (document.visibilityState === 'visible' && session.state === 'signed-in') void session.hydrate()
  }

  const unsubscribe = session.$onAction(({ name, after }) => {
    if (TELLING.has(name)) after(() => channel.postMessage(name))
  })
  channel.addEventListener('message', () => void session.hydrate())
  document.addEventListener('visibilitychange', look)
  window.addEventListener('focus', look)
  const timer = setInterval(look, EVERY)

  onScopeDispose(() => {
    unsubscribe()
    channel.close()
    document.removeEventListener('visibilitychange', look)
    window.removeEventListener('focus', look)
    clearInterval(timer)
  })
}
