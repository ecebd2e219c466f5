import { OAuthCallbackError, OAuthResponseError } from '@atproto/oauth-client-node'
import { ProviderFault, RefreshFault } from '../domain/provider.ts'
import { neverConnected } from './safe-fetch.ts'

/** What the library throws before a browser leaves, in our words. */
export function refuseToBegin(error: unknown): never {
  const isUnknown = causesOf(error).some(({ name }) => name === 'IdentityResolverError') || isAbsent(error)
  const code = isUnknown && !isAway(error) ? 'HANDLE_UNRESOLVED' : 'PROVIDER_UNREACHABLE'
  throw new ProviderFault(code, messageOf(error), { cause: error })
}

/** What it throws when the browser has come back. */
export function refuseToFinish(error: unknown): never {
  if (error instanceof OAuthCallbackError && error.params.get('error') === 'access_denied')
    throw new ProviderFault('FLOW_DENIED', 'its owner said no', { cause: error })
  throw new ProviderFault(isAway(error) ? 'PROVIDER_UNREACHABLE' : 'FLOW_REJECTED', messageOf(error), { cause: error })
}

/** What a refresh that failed leaves of the grant; `isSent`: the refresh token may have reached the provider. */
export function refreshFaultOf(error: unknown, isSent: boolean): RefreshFault {
  const answered = answerIn(error)
  if (!isSent || neverConnected(error)) return new RefreshFault('unsent', messageOf(error), { cause: error })
  if (!answered) return new RefreshFault('lost', messageOf(error), { cause: error })
  return new RefreshFault(answered.error === 'invalid_grant' ? 'dead' : 'unsent', messageOf(error), { cause: error })
}

/** The provider's own refusal, however deep. */
function answerIn(error: unknown): OAuthResponseError | undefined {
  return causesOf(error).find((cause) => cause instanceof OAuthResponseError)
}

/** Whether no sound answer came, for whatever reason that may be over tomorrow. */
function isAway(error: unknown): boolean {
  const status = answerIn(error)?.status
  if (status !== undefined) return status >= 500
  return causesOf(error).some(({ name, message }) => name === 'AbortError' || message === 'fetch failed')
}

/** Whether a directory says that it knows no such account. */
function isAbsent(error: unknown): boolean {
  return causesOf(error).some(
    (cause) => 'statusCode' in cause && (cause.statusCode === 404 || cause.statusCode === 410),
  )
}

/** The messages of an error and its causes; they hold addresses and codes, never tokens. */
function messageOf(error: unknown): string {
  return causesOf(error)
    .map(({ message }) => message)
    .join(': ')
}

/** An error and what caused it, the innermost last. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = []
  for (let cause = error; cause instanceof Error && causes.length < 10; cause = cause.cause) causes.push(cause)
  return causes
}
