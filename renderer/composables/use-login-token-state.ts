import type { LoginToken, LoginTokenState } from '../../api/login-tokens.ts'
import { useNow } from './use-now.ts'
import { useText } from './use-text.ts'

/** How login tokens stand at this moment: one whose time runs out is over before the server is asked again. */
export function useLoginTokenState() {
  const { t } = useText()
  const now = useNow()

  function secondsLeft({ expires_at }: Pick<LoginToken, 'expires_at'>): number {
    return Math.max(0, Math.ceil((Date.parse(expires_at) - now.value) / 1000))
  }

  function stateOf(token: LoginToken): LoginTokenState {
    return token.status === 'active' && secondsLeft(token) === 0 ? 'expired' : token.status
  }

  /** The name of whom it signs in. */
  function nameOf({ login_user }: LoginToken): string {
    return login_user?.username ?? t('loginTokens.gone')
  }

  return { now, secondsLeft, stateOf, nameOf }
}
