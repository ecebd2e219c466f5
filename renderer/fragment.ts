import { ERROR_STATUS, type ErrorCode } from '../api/errors.ts'

/** What the server puts behind the `#` of an address, where no server and no proxy sees it. Nobody but us is to be believed. */

/** The exchange token of a callback; empty when there is none. */
export function exchangeTokenIn(fragment: string): string {
  return new URLSearchParams(fragment).get('exchange_token') ?? ''
}

/** A startup token that the desktop app hands to the sign-in page; it is used when the person presses the button. */
export function startupTokenIn(fragment: string): string {
  return new URLSearchParams(fragment).get('startup_token') ?? ''
}

/** Why a flow failed. A code that is not ours says no more than that the flow came to nothing. */
export function authErrorIn(fragment: string): ErrorCode | undefined {
  const code = new URLSearchParams(fragment).get('auth_error')
  if (code === null) return undefined
  return isErrorCode(code) ? code : 'FLOW_INVALID'
}

function isErrorCode(value: string): value is ErrorCode {
  return Object.hasOwn(ERROR_STATUS, value)
}
