import type { ErrorCode } from '../api/errors.ts'
import type { Translate } from './composables/use-text.ts'

/** What came back in an address says nothing of how long to wait. */
export function authErrorText(code: ErrorCode, t: Translate): string {
  return code === 'TOO_MANY_ATTEMPTS' || code === 'OVERLOADED' ? t('atproto.later') : t(`error.${code}`)
}
