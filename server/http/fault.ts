import type { Context } from 'koa'
import { ERROR_STATUS, type ErrorCode } from '../../api/errors.ts'
import { errorTexts } from '../../api/texts/index.ts'
import { wordingOf } from '../../api/texts/wording.ts'
import { Overloaded } from '../domain/work-queue.ts'
import { ApiError } from '../domain/refusal.ts'
import type { Deps } from '../deps.ts'
import { negotiatedLanguage } from './negotiated-language.ts'

type FaultDeps = Pick<Deps, 'log' | 'isStorageFailure'>

/** The one way an error reaches the wire: its code, a text in the reader's language, and nothing else. */
export function sendError(ctx: Context, code: ErrorCode, data?: unknown): void {
  ctx.status = ERROR_STATUS[code]
  ctx.state['error'] = code
  ctx.type = 'application/json'
  const wait = retryAfterOf(data)
  if (wait !== undefined) ctx.set('Retry-After', String(wait))
  ctx.body = JSON.stringify({
    status: 'error',
    error: code,
    message: textOf(ctx, code, data, wait),
    ...(data === undefined ? {} : { error_data: data }),
  })
}

/** What a thrown thing means to the client. Detail that is not the client's goes to the log. */
export function sendThrown(ctx: Context, thrown: unknown, { log, isStorageFailure }: FaultDeps): void {
  if (thrown instanceof ApiError) return sendError(ctx, thrown.code, thrown.data)
  if (thrown instanceof Overloaded) return sendError(ctx, 'OVERLOADED', { retry_after: thrown.retry_after })
  log.error({ request_id: ctx.state['request_id'], err: thrown }, 'request failed')
  sendError(ctx, isStorageFailure(thrown) ? 'STORAGE_UNAVAILABLE' : 'INTERNAL')
}

function textOf(ctx: Context, code: ErrorCode, data: unknown, seconds = 0): string {
  const texts = errorTexts[negotiatedLanguage(ctx.get('Accept-Language'))]
  const { name, named } = wordingOf(code, data)
  return texts[name].replace('{seconds}', String(seconds)).replace('{names}', () => named.names ?? '')
}

function retryAfterOf(data: unknown): number | undefined {
  const holds = typeof data === 'object' && data !== null && 'retry_after' in data
  return holds && typeof data.retry_after === 'number' ? data.retry_after : undefined
}
