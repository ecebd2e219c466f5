import type { Middleware } from 'koa'

/** On every answer. */
const ALWAYS = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
} as const

/** For answers that are data: nothing in them may run or be framed, and nothing may be kept. */
const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** For the page: scripts from us only, never inline. Styles may be inline because the component kit writes some. */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "form-action 'self'",
  "object-src 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const HSTS = 'max-age=31536000'

/** Puts the security headers on, before anything can answer. `secure`: the browser reached us over TLS. */
export function securityHeaders(): Middleware {
  return (ctx, next) => {
    ctx.set(ALWAYS)
    const isApi = ctx.path.startsWith('/api/')
    ctx.set('Content-Security-Policy', isApi ? API_POLICY : PAGE_POLICY)
    if (isApi) ctx.set('Cache-Control', 'no-store')
    if (ctx.state['secure'] === true) ctx.set('Strict-Transport-Security', HSTS)
    return next()
  }
}
