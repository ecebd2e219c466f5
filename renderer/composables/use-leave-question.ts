import { onBeforeRouteLeave } from 'vue-router'
import { useSession } from '../stores/session.ts'
import { useConfirm } from './use-confirm.ts'
import { useLeaveGuard } from './use-leave-guard.ts'

/**
 * Asks before a page is left while something would be lost; a `ConfirmDialog` shows the question. Whoever is no longer
 * signed in is let go: his page is gone already.
 */
export function useLeaveQuestion(needed: () => boolean) {
  const session = useSession()
  const question = useConfirm()
  onBeforeRouteLeave(() => session.state !== 'signed-in' || !needed() || question.ask())
  useLeaveGuard(needed)
  return question
}
