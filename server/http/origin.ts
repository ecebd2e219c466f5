import type { Middleware } from 'koa'
import { bearerOf } from './authenticate.ts'
import { readCookie } from './cookies.ts'
import { bareAddress } from '../address-list.ts'
import { hostNameOf, isLoopbackHost } from './client-address.ts'
import { sendError } from './fault.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

export interface OriginRules {
  /** Host names, without port, by which we may be called besides loopback. */
  hosts: () => readonly string[]
  sessionCookie: (secure: boolean) => string
}

/**
 * Lets in only requests that mean us. The `Host` must be a name of ours, or a page elsewhere has bound its own name
 * to our address. An unsafe verb must not come from a foreign page: an `Origin` that is sent must be ours, and with
 * a session cookie it must be sent.
 */
export function checkOrigin({ hosts, sessionCookie }: OriginRules): Middleware {
  // The address that the connection itself came to cannot have been bound to a foreign name.
  const isOurs = (host: string, cameTo: string | undefined) =>
    isLoopbackHost(host) || host === bareAddress(cameTo ?? '') || hosts().includes(host)

  return (ctx, next) => {
    const host = hostNameOf(ctx.get('Host'))
    if (host === undefined || !isOurs(host, ctx.socket.localAddress)) return sendError(ctx, 'BAD_ORIGIN')
    if (SAFE.has(ctx.method)) return next()
    if (ctx.get('Sec-Fetch-Site') === 'cross-site') return sendError(ctx, 'BAD_ORIGIN')
    const origin = ctx.get('Origin')
    if (origin !== '' && !isOwnOrigin(origin, ctx.get('Host'), ctx.state['secure'] === true))
      return sendError(ctx, 'BAD_ORIGIN')
    const hasCookie = readCookie(ctx, sessionCookie(ctx.state['secure'] === true)) !== undefined
    if (origin === '' && hasCookie && bearerOf(ctx) === undefined) return sendError(ctx, 'BAD_ORIGIN')
    return next()
  }
}

/** The origin of a page that we served under this very host: scheme, name and port. */
function isOwnOrigin(origin: string, host: string, secure: boolean): boolean {
  return origin.toLowerCase() === `${secure ? 'https' : 'http'}://${host.toLowerCase()}`
}
