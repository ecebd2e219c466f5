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
const PAGE_POLICY = [
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

const FOR_API = Object.entries({ ...ALWAYS, 'Content-Security-Policy': API_POLICY, 'Cache-Control': 'no-store' })
const FOR_PAGE = Object.entries({ ...ALWAYS, 'Content-Security-Policy': PAGE_POLICY })

/**
 * Puts the security headers on, before anything can answer. Straight onto the answer: this runs for every request. Only under
 * the public name are browsers told to stay with https: in the network the certificate is of our own authority, and when that
 * is made anew, a browser that was told so would let nobody look at the page that helps.
 */
export function securityHeaders(publicUrl: string | undefined): Middleware {
  const publicHost = publicUrl?.startsWith('https:') ? new URL(publicUrl).host : undefined
  return (ctx, next) => {
    const { res } = ctx
    for (const [name, value] of ctx.path.startsWith('/api/') ? FOR_API : FOR_PAGE) res.setHeader(name, value)
    if (publicHost !== undefined && ctx.state['secure'] === true && isCalled(ctx.get('Host'), publicHost))
      res.setHeader('Strict-Transport-Security', HSTS)
    return next()
  }
}

function isCalled(host: string, name: string): boolean {
  return host.toLowerCase().replace(/:443$/, '') === name
}
