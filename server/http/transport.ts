import type { Middleware } from 'koa'
import { sendError } from './fault.ts'
import type { ClientAddress } from './client-address.ts'
import { insecurePage } from './insecure-page.ts'

/** Plain HTTP from another machine gets nothing but the explanation, unless the person who started us allowed it. */
export function refusePlainHttp(insecureHttp: boolean): Middleware {
  return (ctx, next) => {
    const address: ClientAddress = ctx.state['address']
    if (insecureHttp || address.secure || address.loopback) return next()
    if (ctx.path.startsWith('/api/')) return sendError(ctx, 'INSECURE_TRANSPORT')
    ctx.status = 403
    ctx.type = 'text/html; charset=utf-8'
    ctx.body = insecurePage(ctx.get('Accept-Language'))
  }
}
