import { computed } from 'vue'
import type { Outcome } from '../../api/client.ts'
import { desktopApp, openInBrowser } from '../desktop.ts'
import { useNotices } from '../stores/notices.ts'
import { useAction } from './use-action.ts'
import { useLeaving } from './use-leaving.ts'
import { useText } from './use-text.ts'

/**
 * An act that begins here and goes on at the provider of an account. Busy until the browser has gone there. In the window of
 * the desktop app it does not begin: what answers must come to the browser that asked, and providers are opened in the system's.
 */
export function useAuthorization<Args extends readonly unknown[], O extends Outcome<{ auth_url: string }>>(
  call: (...args: Args) => Promise<O>,
  options: Parameters<typeof useAction>[1] = {},
) {
  const action = useAction(call, options)
  const { leaving, leaveFor } = useLeaving()
  const notices = useNotices()
  const { t } = useText()

  async function go(...args: Args): Promise<boolean> {
    const app = desktopApp()
    if (app) {
      notices.say(t('desktop.goOnInBrowser'))
      return openInBrowser(app, location.pathname)
    }
    const outcome = await action.run(...args)
    if (outcome.ok) leaveFor(outcome.data.auth_url)
    return outcome.ok
  }

  return { ...action, busy: computed(() => action.busy.value || leaving.value), go }
}
