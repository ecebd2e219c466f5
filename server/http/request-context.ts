import { randomUUID } from 'node:crypto'
import type { Middleware } from 'koa'
import type { Deps } from '../deps.ts'
import type { ClientAddress } from './client-address.ts'
import { sendThrown } from './fault.ts'

/** The outermost step: names the request, catches what falls through, and writes one line about it. */
export function requestContext(
  deps: Pick<Deps, 'log' | 'isStorageFailure'>,
  addressOf: (req: Parameters<Middleware>[0]['req']) => ClientAddress,
): Middleware {
  return async (ctx, next) => {
    const started = performance.now()
    const request_id = randomUUID()
    const address = addressOf(ctx.req)
    ctx.state['request_id'] = request_id
    ctx.state['address'] = address
    ctx.state['secure'] = address.secure
    ctx.set('X-Request-Id', request_id)
    try {
      await next()
    } catch (thrown) {
      sendThrown(ctx, thrown, deps)
    }
    const routine = ctx.status < 400 && (ctx.method === 'GET' || ctx.method === 'HEAD')
    const level = routine ? 'debug' : ctx.status < 500 ? 'info' : 'error'
    if (!deps.log.isLevelEnabled(level)) return
    deps.log[level]({
      request_id,
      method: ctx.method,
      // The pattern, not the address: an address can hold a secret.
      route: ctx.state['route'] ?? 'page',
      status: ctx.status,
      ms: Math.round((performance.now() - started) * 100) / 100,
      ip: address.ip,
      user_id: ctx.state['user_id'],
      ...(ctx.status < 400 ? {} : { error: ctx.state['error'], user_agent: ctx.get('User-Agent').slice(0, 400) }),
    })
  }
}
