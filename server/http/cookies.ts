import type { Context } from 'koa'
import type { AnswerCookies } from '../call.ts'

/** Over TLS the name carries `__Host-`, which browsers bind to this host, path `/` and Secure. */
export function sessionCookie(secure: boolean): string {
  return secure ? '__Host-latchkey_session' : 'latchkey_session'
}

export function deviceCookie(secure: boolean): string {
  return secure ? '__Host-latchkey_device' : 'latchkey_device'
}

/** Binds sign-ins by way of a provider to this browser. */
function flowCookie(secure: boolean): string {
  return secure ? '__Host-latchkey_flow' : 'latchkey_flow'
}

/** A cookie of the request; the first where one name comes twice, as browsers send the most specific first. */
export function readCookie(ctx: Context, name: string): string | undefined {
  const header = ctx.req.headers.cookie
  if (header === undefined) return undefined
  for (const pair of header.split('; ')) {
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1)
  }
  return undefined
}

/** The only place that sets cookies: HttpOnly, SameSite=Lax, Path=/, living as long as what they carry. */
export function answerCookies(ctx: Context, clock: () => number): AnswerCookies {
  const secure = ctx.state['secure'] === true
  // Written by hand: Koa's own writer knows no Max-Age, only a date by the machine's clock.
  const set = (name: string, value: string, expires_at: number) => {
    const maxAge = Math.max(0, Math.floor((expires_at - clock()) / 1000))
    ctx.append(
      'Set-Cookie',
      `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
    )
  }
  return {
    setSession: ({ token, expires_at }) => set(sessionCookie(secure), token, expires_at),
    clearSession: () => set(sessionCookie(secure), '', 0),
    flow: () => readCookie(ctx, flowCookie(secure)),
    setFlow: (nonce, expires_at) => set(flowCookie(secure), nonce, expires_at),
    trustDevice: (secret, expires_at) => set(deviceCookie(secure), secret, expires_at),
  }
}
