import type { Middleware } from 'koa'
import type { Deps } from '../deps.ts'
import { sendError } from './fault.ts'
import type { ClientAddress } from './client-address.ts'
import { insecurePage } from './insecure-page.ts'
import { secureAddressOf } from './secure-address.ts'

/**
 * Plain HTTP from another machine gets nothing but the explanation, unless the person who started us allowed it. It is not
 * sent on to https: then nobody would notice what he had typed, and who in between could have answered instead.
 */
export function refusePlainHttp(insecureHttp: boolean, { lan }: Pick<Deps, 'lan'>): Middleware {
  return (ctx, next) => {
    const address: ClientAddress = ctx.state['address']
    if (insecureHttp || address.secure || address.loopback) return next()
    if (ctx.path.startsWith('/api/')) return sendError(ctx, 'INSECURE_TRANSPORT')
    ctx.status = 403
    ctx.type = 'text/html; charset=utf-8'
    ctx.set('Cache-Control', 'no-store')
    ctx.body = insecurePage(ctx.get('Accept-Language'), secureAddressOf(ctx, lan))
  }
}
