import { computed } from 'vue'
import type { User } from '../../api/users.ts'
import { useSession } from '../stores/session.ts'

/** Whom the caller may administer, as the server's guards say; what he may not do is not offered. */
export function useReach() {
  const session = useSession()

  function isOwn(user: User): boolean {
    return user.user_id === session.me?.user_id
  }

  /** Superusers reach everybody; others whom they manage, superusers excepted. */
  function reaches(user: User): boolean {
    const { me } = session
    if (!me) return false
    return me.superuser || (!user.superuser && user.manager_id === me.user_id)
  }

  /** A session made by the startup token hands the way in to nobody else. */
  const mayMakeLoginTokens = computed(() => session.may('LOGIN_TOKENS') && session.me?.is_temporary === false)

  return { isOwn, reaches, mayMakeLoginTokens }
}
